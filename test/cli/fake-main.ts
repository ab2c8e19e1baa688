// main.ts with a command that says much: what arrives on which stream is a matter of processes.
import type { Commands } from '../../src/cli/command.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { createProgress } from '../../src/cli/progress.ts';

const commands: Partial<Commands> = {
  inspect: async (_, terminal) => {
    const progress = createProgress({ label: 'working', total: 500, quiet: terminal.quiet });
    for (let i = 1; i <= 500; i++) {
      terminal.log(`line ${i}`);
      progress.update(i);
    }
    progress.stop();
    return { summary: { values: Array.from({ length: 100_000 }, (_, i) => i / 7) }, text: '' };
  },
};

process.exitCode = await runCommandLine(process.argv.slice(2), { commands: commands as Commands });
