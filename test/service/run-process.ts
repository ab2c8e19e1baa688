import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { View } from '../../src/dashboard/view.ts';
import { until } from '../mqtt/until.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

/** What the service prints at its end with --json. */
interface RunSummary {
  readonly messages: number;
  readonly models: Readonly<Record<'promoted' | 'refused' | 'superseded', number>>;
  readonly readings: Readonly<Record<string, number>>;
  readonly streams: number;
  readonly forecasts: Readonly<Record<string, number>>;
  readonly reconnects: number;
  readonly state: { readonly degraded: string | null; readonly commits: number };
}

/** `cellstream run` as a process of its own. */
export interface RunProcess {
  /** Its log. */
  readonly lines: readonly Line[];
  /** Everything on standard error. */
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly pid: number;
  /** Of its page. */
  view(): Promise<View>;
  signal(name: 'SIGHUP'): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Stalls it: its connections stay and nothing is read. */
  pause(): void;
  resume(): void;
  /** SIGTERM, and its last word. */
  stop(): Promise<RunSummary>;
}

/** Writes the config, starts the service on it and waits until it is connected. */
export async function startRun(
  folder: string,
  config: string,
  { args = [], connects = true }: { args?: readonly string[]; connects?: boolean } = {},
): Promise<RunProcess> {
  const path = join(folder, 'plant.yaml');
  writeFileSync(path, config);
  const child: ChildProcess = spawn(process.execPath, [main, 'run', path, '--json', ...args], {
    cwd: folder,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  // it has ended, and all that it said is here
  let isClosed = false;
  const closed = once(child, 'close').then(() => {
    isClosed = true;
  });
  const lines = () =>
    stderr
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  const kill = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await closed;
    return child.exitCode;
  };
  onTestFinished(async () => {
    await kill('SIGKILL');
  });
  await until(() => isClosed || lines().some(({ msg }) => msg === 'started'));
  if (connects) await until(() => isClosed || lines().some(({ msg }) => msg.startsWith('connected')));
  return {
    get lines() {
      return lines();
    },
    get stderr() {
      return stderr;
    },
    pid: child.pid as number,
    get exitCode() {
      return child.exitCode;
    },
    async view() {
      const { page } = lines().find(({ msg }) => msg === 'started') as Line & { page: string };
      return (await (await fetch(`${page}view`)).json()) as View;
    },
    signal: (name) => void child.kill(name),
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      const code = await kill('SIGTERM');
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
      return JSON.parse(stdout) as RunSummary;
    },
  };
}
