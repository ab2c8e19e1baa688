import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MqttClient } from 'mqtt';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** A start of the service, from the spawn of its process. */
export interface Start {
  /** Until the broker has its `online`: it is subscribed and takes messages. */
  readonly onlineMs: number;
  /** Then. */
  readonly rssMb: number;
  /** The most until then. */
  readonly peakMb: number;
  /** That it knows. */
  readonly streams: number;
}

/** Starts `cellstream run CONFIG` in a process of its own, and stops it when it is online. */
export async function timeStart(client: MqttClient, config: string, statusTopic: string): Promise<Start> {
  await client.subscribeAsync(statusTopic, { qos: 1 });
  const startMs = performance.now();
  const child = spawn(process.execPath, [main, 'run', config, '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = child.stdout.toArray();
  const closed = once(child, 'close');
  const ended = closed.then(([code]) => {
    throw new Error(`cellstream run ended with exit code ${code} before it was online`);
  });
  ended.catch(() => {});
  await Promise.race([online(client, statusTopic), ended]);
  const onlineMs = performance.now() - startMs;
  const memory = memoryOf(child.pid as number);
  child.kill();
  await closed;
  const { streams } = JSON.parse(Buffer.concat(await output).toString()) as { streams: number };
  return { onlineMs, ...memory, streams };
}

/** Said now: what the broker has retained is of the start before. */
function online(client: MqttClient, statusTopic: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (topic: string, payload: Buffer, { retain }: { retain: boolean }) => {
      if (retain || topic !== statusTopic || payload.toString() !== 'online') return;
      client.off('message', look);
      resolve();
    };
    client.on('message', look);
  });
}

function memoryOf(pid: number): Pick<Start, 'rssMb' | 'peakMb'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string) => (Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6;
  return { rssMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}
