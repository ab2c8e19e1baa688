import type { Commands } from '../../src/cli/command.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';

/** Runs a command line in this process: its exit code, and all that it wrote. */
export async function capture(args: readonly string[], commands?: Commands) {
  let [stdout, stderr] = ['', ''];
  const streams = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
  };
  const code = await runCommandLine(args, { streams, ...(commands && { commands }) });
  return { code, stdout, stderr };
}
