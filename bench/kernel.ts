import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadModel } from '../src/engine/engine.ts';
import type { CreateKernel } from '../src/kernels/kernel.ts';
import type { Model } from '../src/model/model.ts';
import { readCount, readCounts } from './arguments.ts';
import { compareWith, type Measure, median, quantile, significant, takeTurns } from './rounds.ts';
import { openSessionRun } from './session-run.ts';
import { createInt8Model } from './step-models.ts';
import { kernels, LARGEST_BATCH, openStepRun, openTeam, type StepRun, timeCalls } from './step-run.ts';

const options = {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '12' },
  hidden: { type: 'string', default: '16,32,64,128,256,512,1024' },
  streams: { type: 'string', default: '1,10,1000,10000' },
} as const;
/** Beyond it, plain JavaScript takes seconds for a turn of a thousand streams. */
const MANY_STREAMS_HIDDEN = 256;

/** One shape, by every implementation. */
export interface KernelMeasure extends Measure {
  readonly hidden: number;
  readonly streams: number;
  /** Of the outputs of the first steps, the same by every implementation. */
  readonly checksum: number;
  /** Microseconds a stream-step, in the median and for the 99th of 100 calls. */
  readonly implementations: Readonly<Record<string, { readonly median: number; readonly p99: number }>>;
}

/** Time steps of seeded random int8 models (I = 8) and of the shipped one, every implementation in turns: one stream and
 * many, through the kernel and, `session`, from a raw frame to its forecast. */
export async function benchKernel(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = readCount('rounds', values.rounds);
  const streamCounts = readCounts('streams', values.streams);
  const team = await openTeam();
  const measures: KernelMeasure[] = [];
  const measure = async (label: string, model: Model, counts: readonly number[]) => {
    for (const streams of counts)
      measures.push(
        await measureStreams(label, model, { streams, rounds, kernels: kernelsFor(streams, team) }),
      );
  };
  for (const hidden of readCounts('hidden', values.hidden)) {
    const counts = streamCounts.filter((streams) => hidden <= MANY_STREAMS_HIDDEN || streams <= 10);
    await measure(`H=${hidden}`, createInt8Model(hidden), counts);
  }
  const shipped = await readFile(new URL('../models/nyc-weather/nyc-weather.pb', import.meta.url));
  await measure('nyc-weather', (await loadModel(shipped)).model, streamCounts);
  team?.close();
  if (values.json) console.log(JSON.stringify({ measures }));
  else printTable(measures);
}

type Kernels = Readonly<Record<string, CreateKernel>>;

/** A team takes part where it shares the work. */
function kernelsFor(streams: number, team: Awaited<ReturnType<typeof openTeam>>): Kernels {
  if (team === undefined || streams < LARGEST_BATCH) return kernels;
  return { ...kernels, [`${team.threads} threads`]: team.createKernel };
}

async function measureStreams(
  label: string,
  model: Model,
  { streams, rounds, kernels }: { streams: number; rounds: number; kernels: Kernels },
): Promise<KernelMeasure> {
  const runs = Object.entries(kernels).map(([name, create]) => ({
    name,
    ...openStepRun(create, model, streams),
  }));
  const { checksum } = runs[0];
  for (const run of runs) {
    if (run.checksum !== checksum || !(checksum > 0))
      throw new Error(`${label}: ${run.name} answers ${run.checksum} in sum, ${runs[0].name} ${checksum}`);
  }
  const session = { name: 'session', ...openSessionRun(model) };
  const contestants = streams === 1 ? [...runs, session] : runs;
  const implementations = await timeInTurns(contestants, rounds);
  return {
    ...compareWith(
      `${label}, ${streams} ${streams === 1 ? 'stream' : 'streams'}, us a step`,
      Math.min(...Object.keys(kernels).map((name) => implementations[name].median)),
      implementations.scalar.median,
      { must: 1, lowerIsBetter: true },
    ),
    ...{ hidden: model.architecture.hidden, streams, checksum, implementations },
  };
}

/** Takes turns and reads every sink. */
async function timeInTurns(
  runs: readonly (Pick<StepRun, 'call' | 'sink'> & { readonly name: string; readonly batch: number })[],
  rounds: number,
): Promise<KernelMeasure['implementations']> {
  const calls = runs.map((): number[] => []);
  const contestants = runs.map(({ call }, i) => ({
    turn: () => {
      const turn = timeCalls(call);
      calls[i].push(...turn.calls);
      return turn.times;
    },
  }));
  const turns = await takeTurns(contestants, rounds);
  return Object.fromEntries(
    runs.map(({ name, batch, sink }, i) => {
      const sum = sink();
      if (!Number.isFinite(sum) || sum === 0) throw new Error(`${name} answered ${sum} in sum`);
      const times = { median: median(turns[i]) / batch, p99: quantile(calls[i], 0.99) / batch };
      return [name, { median: significant(times.median), p99: significant(times.p99) }];
    }),
  );
}

function printTable(measures: readonly KernelMeasure[]): void {
  const rows = measures.flatMap(({ name, implementations }) =>
    Object.entries(implementations).map(([kernel, { median, p99 }]) => [
      `${name}: ${kernel}`,
      { median, p99, 'thousand steps/s': significant(1000 / median) },
    ]),
  );
  console.table(Object.fromEntries(rows));
}
