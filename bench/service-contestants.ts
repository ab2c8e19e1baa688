import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeModelFile } from '../src/model/format.ts';
import type { Model } from '../src/model/model.ts';
import { createModel } from '../test/fixtures/random-model.ts';

export const contestantNames = ['ours', 'echo', 'paho'] as const;
export type ContestantName = (typeof contestantNames)[number];

/** A process that answers TAG/NAME/telemetry on TAG/NAME/forecast. */
export interface Contestant {
  readonly name: ContestantName;
  readonly tag: string;
  /** Undefined while it runs; else its last words. */
  readonly ended: string | undefined;
  /** What it wrote to standard output: ours its summary, as it ends. */
  readonly output: string;
  /** User and system time so far, in steps of 10 ms. */
  cpuMs(): number;
  rssMb(): number;
  /** To disks. */
  writtenBytes(): number;
  stop(): Promise<void>;
}

export interface ContestantOptions {
  readonly folder: string;
  readonly port: number;
  readonly qos: 0 | 1;
  readonly hidden: number;
  readonly streams: number;
  /** That ours publishes. */
  readonly horizons: readonly number[];
  /** Ours serves its page too. */
  readonly dashboard: boolean;
  /** Ours measures how late its event loop is, and says so as it ends (`loopDelayFile`). */
  readonly watched: boolean;
}

/** Of ours, at the broker. */
export function clientIdOf(tag: string): string {
  return `cellstream-${tag}`;
}

/** `{ p50Ms, p99Ms, maxMs }` */
export function loopDelayFile(folder: string, tag: string): string {
  return join(folder, `${tag}.loop.json`);
}

export function startContestant(name: ContestantName, options: ContestantOptions): Contestant {
  const tag = `${name}${options.qos}`;
  const [command, ...args] = commandOf(name, tag, options);
  const env = { ...process.env, LOOP_DELAY_FILE: loopDelayFile(options.folder, tag) };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let words = '';
  let ended: string | undefined;
  child.stderr.on('data', (data) => {
    words = `${words}${data}`.slice(-500);
  });
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', () => {
    ended ??= words;
  });
  return {
    ...{ name, tag },
    get ended() {
      return ended;
    },
    get output() {
      return output;
    },
    cpuMs: () => (ended === undefined ? cpuMsOf(child.pid as number) : 0),
    rssMb: () => (ended === undefined ? rssMbOf(child.pid as number) : 0),
    writtenBytes: () => (ended === undefined ? writtenBytesOf(child.pid as number) : 0),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}

function commandOf(name: ContestantName, tag: string, options: ContestantOptions): [string, ...string[]] {
  const { port, qos, hidden } = options;
  const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const args = [port, tag, qos, hidden].map(String);
  if (name === 'echo') return [process.execPath, fileOf('peers/echo.mjs'), ...args];
  if (name === 'paho') return [process.env.PYTHON ?? 'python3', fileOf('peers/forecast-paho.py'), ...args];
  const watch = options.watched ? ['--import', fileOf('loop-delay.mjs')] : [];
  return [
    process.execPath,
    ...watch,
    fileOf('../dist/cli/main.js'),
    'run',
    writeConfig(tag, options),
    '--json',
  ];
}

function writeConfig(tag: string, options: ContestantOptions): string {
  const { folder, port, qos, streams, dashboard } = options;
  const model = join(folder, `${tag}.pb`);
  writeFileSync(model, writeModelFile(createServedModel(options)));
  const config = join(folder, `${tag}.yaml`);
  const lines = [
    `model: ${model}`,
    `broker: { url: "mqtt://127.0.0.1:${port}" }`,
    `subscribe:\n  - { topic: "${tag}/{stream}/telemetry", qos: ${qos}, features: { feature-0: temp } }`,
    `publish: { topic: "${tag}/{stream}/forecast", qos: ${qos} }`,
    `maxStreams: ${streams}`,
    ...(dashboard ? ['dashboard: { port: 18080 }'] : []),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

/** An int8 LSTM of one feature, P = 1 and I = 8, with golden vectors and intervals: what `train` would export. */
export function createServedModel({
  hidden,
  horizons,
}: Pick<ContestantOptions, 'hidden' | 'horizons'>): Model {
  const lags = [1, 2, 3, 6, 12, 24];
  const steps = Math.max(...horizons);
  const shape = {
    hidden,
    features: 1,
    lags,
    averages: [24, 168],
    targets: [0],
    steps,
    weights: 'int8',
  } as const;
  const model = createModel({ seed: 1, ...shape });
  return { ...model, fit: true, output: { ...model.output, horizons } };
}

/** Fields 14 and 15, behind a name that may hold spaces, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function writtenBytesOf(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

function rssMbOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
