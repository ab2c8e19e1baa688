import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import type { Installation } from './memory-install.ts';

export interface ServedModel {
  readonly file: string;
  readonly features: readonly string[];
}

export interface ServiceOptions {
  readonly installation: Installation;
  readonly folder: string;
  readonly port: number;
  readonly model: ServedModel;
  readonly streams: number;
  /** Of the page; none when absent. */
  readonly page?: number | undefined;
}

/** Hours that each stream tells before its memory is looked at. */
const FRAMES = 12;
const hourMs = 3_600_000;

/** Resident memory of the service in MB, when it has answered every frame of every stream. */
export async function measureRss(options: ServiceOptions): Promise<number> {
  const { port, streams, model } = options;
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  const service = startService(options);
  try {
    await online(client);
    for (let frame = 0; frame < FRAMES; frame++) {
      const answered = answers(client, streams);
      for (let s = 0; s < streams; s++) await publish(client, `pump-${s}`, model, frame, 0);
      await answered;
    }
    return rssMbOf(service.pid as number);
  } finally {
    await stop(service);
    await client.endAsync();
  }
}

/** Milliseconds from the start of the process to the first forecast, for a message that waited at the broker. */
export async function measureStart(options: ServiceOptions): Promise<number> {
  const client = await connectAsync(`mqtt://127.0.0.1:${options.port}`);
  const first = startService(options);
  try {
    // leaves a session at the broker, which then keeps what comes at QoS 1
    await online(client);
    await stop(first);
    await publish(client, 'pump-0', options.model, 0, 1);
    const answered = answers(client, 1);
    const startMs = performance.now();
    const second = startService(options);
    await answered;
    const took = performance.now() - startMs;
    await stop(second);
    return took;
  } finally {
    await client.endAsync();
  }
}

function startService({ installation, folder, port, model, streams, page }: ServiceOptions): ChildProcess {
  const config = join(folder, 'plant.yaml');
  const lines = [
    `model: ${model.file}`,
    `broker: { url: "mqtt://127.0.0.1:${port}" }`,
    'subscribe:\n  - { topic: "plant/{stream}/telemetry" }',
    'publish: { topic: "forecast/{stream}" }',
    `maxStreams: ${streams}`,
    ...(page ? [`dashboard: { port: ${page} }`] : []),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const main = join(installation.root, 'dist', 'cli', 'main.js');
  return spawn(process.execPath, [main, 'run', config, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Resolves when the service has said that it is there. */
async function online(client: MqttClient): Promise<void> {
  const status = 'cellstream/plant/status';
  const said = new Promise<void>((resolve) => {
    const look = (topic: string, payload: Buffer) => {
      if (topic !== status || payload.toString() !== 'online') return;
      client.off('message', look);
      resolve();
    };
    client.on('message', look);
  });
  await client.subscribeAsync([status, 'forecast/+']);
  await said;
  await client.unsubscribeAsync(status);
}

function answers(client: MqttClient, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const take = (topic: string) => {
      if (!topic.startsWith('forecast/')) return;
      left--;
      if (left > 0) return;
      client.off('message', take);
      resolve();
    };
    client.on('message', take);
  });
}

async function publish(
  client: MqttClient,
  stream: string,
  { features }: ServedModel,
  frame: number,
  qos: 0 | 1,
): Promise<void> {
  const values = Object.fromEntries(features.map((name, k) => [name, 20 * (k + 1) + (frame % 5)]));
  const payload = JSON.stringify({ time: Date.now() + (frame - FRAMES) * hourMs, ...values });
  await client.publishAsync(`plant/${stream}/telemetry`, payload, { qos });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

function rssMbOf(pid: number): number {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
}
