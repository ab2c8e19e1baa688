import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The program in a process of its own, for as long as a test lasts. */
export interface StartedProgram {
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code, null after a signal that it did not handle. */
  readonly ended: Promise<number | null>;
  signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

export function startProgram(...args: readonly string[]): StartedProgram {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, DEBUG: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    ended,
    signal: (signal) => void child.kill(signal),
  };
}
