import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer } from './peer.ts';
import { startBroker, takeOver } from './service-broker.ts';
import {
  type Contestant,
  type ContestantName,
  type ContestantOptions,
  clientIdOf,
  startContestant,
} from './service-contestants.ts';
import type { LoadAnswer, LoadQuestion } from './service-load.ts';
import { readServiceOptions, type ServiceBenchOptions } from './service-options.ts';
import { compareLoads, type LoadRow, type Stretch, writeServiceResults } from './service-report.ts';
import { soak } from './service-soak.ts';

/** Messages under way while a contestant is driven as fast as it answers: enough for full batches, less than a second. */
const WINDOW = 4000;

/** A stretch of load on one contestant, and what it took it. */
export type Drive = (
  contestant: Contestant,
  load: Pick<LoadQuestion, 'seconds' | 'rate'>,
) => Promise<Stretch>;

/** Sensors and reader in one process, a broker, and the contestants, each a process of its own, in turns: the service,
 * a bare MQTT.js echo, and paho with PyTorch. PYTHON names the interpreter that has both. */
export async function benchService(args: readonly string[]): Promise<void> {
  const options = readServiceOptions(args);
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-bench-'));
  const broker = await startBroker(folder);
  const load = await startLoad(broker.port, options.streams);
  try {
    const measures: LoadRow[] = [];
    const loads: Stretch[] = [];
    for (const qos of options.qos) {
      const drive = createDrive(load, qos);
      const how = { ...options, folder, port: broker.port, qos, watched: options.soakMs > 0 };
      const contestants = await startAll(how, options, drive);
      try {
        if (options.soakMs > 0) {
          const cut = (tag: string) => takeOver(broker.port, clientIdOf(tag));
          measures.push(...(await soak(contestants, { ...options, drive, cut, folder })));
        } else {
          const { stretches, half } = await takeTurns(contestants, drive, options);
          loads.push(...stretches);
          measures.push(...compareLoads(stretches, qos, half));
        }
      } finally {
        for (const contestant of contestants) await contestant.stop();
      }
    }
    if (options.write) await writeServiceResults(measures, loads, options);
    if (options.json) console.log(JSON.stringify({ measures, loads }));
    else console.table(Object.fromEntries(measures.map(({ name, ...row }) => [name, row])));
  } finally {
    load.close();
    broker.stop();
    rmSync(folder, { recursive: true });
  }
}

async function startLoad(port: number, streams: number): Promise<Peer> {
  const file = fileURLToPath(new URL('service-load.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), file, String(port), String(streams)];
  const load = await startPeer(process.execPath, args);
  if (load === undefined) throw new Error('the load generator did not start');
  return load;
}

function createDrive(load: Peer, qos: 0 | 1): Drive {
  return async (contestant, { seconds, rate }) => {
    const { name, tag } = contestant;
    const beforeMs = contestant.cpuMs();
    const question: LoadQuestion = { tag, qos, seconds, rate, window: WINDOW };
    const answer = (await load.ask(question)) as unknown as LoadAnswer;
    const cpuUs = (1000 * (contestant.cpuMs() - beforeMs)) / Math.max(1, answer.answered);
    return { ...answer, name, qos, rate, cpuUs, rssMb: contestant.rssMb() };
  };
}

/** Those that start, warm: the first second has stalls. */
async function startAll(
  how: ContestantOptions,
  { contestants }: ServiceBenchOptions,
  drive: Drive,
): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const name of contestants) {
    const contestant = startContestant(name, how);
    if (await isReady(contestant, drive)) started.push(contestant);
    else {
      console.error(`${name} did not start: ${contestant.ended?.trim() ?? 'no answer'}`);
      await contestant.stop();
    }
  }
  return started;
}

async function isReady(contestant: Contestant, drive: Drive): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt++) {
    if (contestant.ended !== undefined) return false;
    const { answered } = await drive(contestant, { seconds: 0.2, rate: 10 });
    if (answered === 0) continue;
    await drive(contestant, { seconds: 2, rate: 0 });
    return true;
  }
  return false;
}

/** First as fast as each answers, then at rates that are the same for all; half load is that of the slower of ours and
 * the echo. */
async function takeTurns(
  contestants: readonly Contestant[],
  drive: Drive,
  { rounds, seconds, rates }: ServiceBenchOptions,
): Promise<{ stretches: Stretch[]; half: number }> {
  const stretches: Stretch[] = [];
  const take = async (contestant: Contestant, rate: number) => {
    const stretch = await drive(contestant, { seconds, rate });
    stretches.push(stretch);
    console.error(describe(stretch));
  };
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) await take(contestant, 0);
  }
  const half = Math.round(
    Math.min(...(['ours', 'echo'] as const).map((name) => slowest(stretches, name))) / 2,
  );
  const steps = Number.isFinite(half) ? [...rates, half] : rates;
  for (let round = 0; round < rounds; round++) {
    for (const rate of steps) {
      for (const contestant of contestants) {
        if (rate < 0.8 * slowest(stretches, contestant.name)) await take(contestant, rate);
      }
    }
  }
  return { stretches, half };
}

function slowest(stretches: readonly Stretch[], name: ContestantName): number {
  const flatOut = stretches.filter((stretch) => stretch.name === name && stretch.rate === 0);
  return Math.min(...flatOut.map(({ perSecond }) => perSecond));
}

function describe(stretch: Stretch): string {
  const { name, qos, rate, perSecond, cpuUs, p50Ms, p99Ms, sent, answered, wrong, rssMb } = stretch;
  const load = rate === 0 ? 'flat out' : `${rate}/s`;
  const lost = sent - answered;
  return (
    `${name} QoS ${qos} ${load}: ${perSecond.toFixed(0)} messages/s, ${cpuUs.toFixed(1)} us of CPU each, ` +
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${lost} unanswered, ${wrong} wrong, ${rssMb.toFixed(0)} MB`
  );
}
