import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findPort } from '../mqtt/ports.ts';

/** A process that is started, ended by a signal and started again. */
export interface Part {
  readonly running: boolean;
  /** What it has written to standard output since it was started. */
  readonly output: string;
  start(): Promise<void>;
  /** Resolves when it is gone. @returns its exit code, null after a signal that it did not handle */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Stops it for a while: it neither reads nor writes, and holds what it holds. */
  pause(ms: number): Promise<void>;
}

interface PartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A line on standard error that says that it is ready. */
  readonly isReady: (line: string) => boolean;
  /** A line that should not be there. */
  readonly isComplaint: (line: string) => boolean;
  readonly say: (line: string) => void;
}

const longestStartMs = 60_000;

function createPart({ name, command, args, env, isReady, isComplaint, say }: PartOptions): Part {
  let child: ChildProcess | undefined;
  let output = '';
  const isRunning = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    get running() {
      return isRunning();
    },
    get output() {
      return output;
    },
    async start() {
      const started = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      output = '';
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const tail: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${name} ${why}: ${tail.join('\n')}`));
        const timer = setTimeout(fail, longestStartMs, `is not ready after ${longestStartMs} ms`);
        createInterface({ input: started.stderr }).on('line', (line) => {
          tail.push(line);
          if (tail.length > 20) tail.shift();
          if (isComplaint(line)) say(`${name}: ${line}`);
          if (!isReady(line)) return;
          clearTimeout(timer);
          resolve();
        });
        started.once('exit', (code, signal) => {
          clearTimeout(timer);
          fail(`ended with ${signal ?? code} before it was ready`);
        });
      });
    },
    async end(signal) {
      if (child === undefined || !isRunning()) return child?.exitCode ?? null;
      const closed = once(child, 'close');
      child.kill(signal);
      await closed;
      return child.exitCode;
    },
    async pause(ms) {
      child?.kill('SIGSTOP');
      await sleep(ms);
      child?.kill('SIGCONT');
    },
  };
}

/** A mosquitto that keeps its sessions over a restart. */
export async function createBroker(
  folder: string,
  say: (line: string) => void,
): Promise<Part & { port: number }> {
  const port = await findPort();
  const path = join(folder, 'mosquitto.conf');
  writeFileSync(
    path,
    `user root
allow_anonymous true
persistence true
persistence_location ${folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
log_dest stderr
log_type error
log_type information
connection_messages false
listener ${port} 127.0.0.1
`,
  );
  const part = createPart({
    name: 'mosquitto',
    command: 'mosquitto',
    args: ['-c', path],
    // Debian keeps it where only root looks
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    isReady: (line) => line.includes('running'),
    isComplaint: (line) => /error/i.test(line),
    say,
  });
  return Object.assign(part, { port });
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** `cellstream run` on a config. */
export function createService(config: string, say: (line: string) => void): Part {
  return createPart({
    name: 'cellstream',
    command: process.execPath,
    args: [main, 'run', config, '--json', '--force'],
    isReady: (line) => line.includes('"msg":"connected'),
    isComplaint: (line) => !line.startsWith('{') || line.includes('"level":"error"'),
    say,
  });
}
