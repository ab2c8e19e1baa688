import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import type { Authority, Certificate } from './certificates.ts';
import { findPort } from './ports.ts';
import { until } from './until.ts';

export interface MosquittoOptions {
  readonly tls?: {
    readonly authority: Authority;
    readonly server: Certificate;
    /** Clients must show a certificate of the same authority. */
    readonly clients?: boolean;
  };
  /** Name -> password; without any, everybody may come. */
  readonly users?: Readonly<Record<string, string>>;
  /** The text of its access list. */
  readonly acl?: string;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
}

/** A mosquitto of one test. It keeps its sessions on disk, and its port and folder over a restart. */
export interface Mosquitto {
  readonly port: number;
  /** On localhost, by name. */
  readonly url: string;
  /** What it has logged. */
  readonly log: string;
  start(): Promise<void>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Stalls it: connections stay and nothing is read. */
  pause(): void;
  resume(): void;
}

const missing = ['mosquitto', 'openssl'].some(
  (name) => spawnSync(name, ['-h'], { env: environment() }).error,
);

/** A suite that is skipped where mosquitto is missing, unless the environment insists on it. */
export function describeWithMosquitto(name: string, body: () => void): void {
  describe.skipIf(missing && process.env.CELLSTREAM_REQUIRE_SYSTEM !== '1')(name, body);
}

/** Debian keeps mosquitto where only root looks. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
}

/** Started, and stopped when the test ends. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-mosquitto-'));
  const port = await findPort();
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, configure(options, folder, port));
  let child: ChildProcess | undefined;
  let log = '';
  const mosquitto: Mosquitto = {
    port,
    url: `${options.tls ? 'mqtts' : 'mqtt'}://localhost:${port}`,
    get log() {
      return log;
    },
    async start() {
      const from = log.length;
      const started = spawn('mosquitto', ['-c', config], {
        env: environment(),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      started.stderr.on('data', (data: Buffer) => {
        log += data.toString();
      });
      let isClosed = false;
      started.once('close', () => {
        isClosed = true;
      });
      await once(started, 'spawn');
      child = started;
      await until(() => log.includes('running', from) || isClosed);
      if (isClosed) throw new Error(`mosquitto does not start: ${log.slice(from)}`);
    },
    async stop(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
  onTestFinished(async () => {
    await mosquitto.stop('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  await mosquitto.start();
  return mosquitto;
}

function configure({ tls, users, acl, lines = [] }: MosquittoOptions, folder: string, port: number): string {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const text = [
    // started by root it would become a user who cannot read the folder
    'user root',
    'per_listener_settings false',
    `allow_anonymous ${users === undefined}`,
    `persistence true\npersistence_location ${folder}/\nautosave_interval 1`,
    'max_queued_messages 0\nset_tcp_nodelay true\nlog_dest stderr\nlog_type all',
    ...lines,
  ];
  if (users) {
    const passwords = Object.entries(users).map(([name, password]) => `${name}:${password}\n`);
    const path = file('passwords', passwords.join(''));
    execFileSync('mosquitto_passwd', ['-U', path]);
    text.push(`password_file ${path}`);
  }
  if (acl) text.push(`acl_file ${file('acl', acl)}`);
  text.push(`listener ${port} 127.0.0.1`);
  if (tls) {
    const { authority, server, clients = false } = tls;
    text.push(`cafile ${authority.certFile}\ncertfile ${server.certFile}\nkeyfile ${server.keyFile}`);
    text.push(`require_certificate ${clients}`);
  }
  return `${text.join('\n')}\n`;
}
