import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { createStepKernel } from '../src/kernels/choose.ts';
import type { CreateKernel } from '../src/kernels/kernel.ts';
import type { Model } from '../src/model/model.ts';
import { quantizeModel } from '../src/quantize/quantize-model.ts';
import { median, quantile, significant, takeTurns } from './rounds.ts';
import { openSessionRun } from './session-run.ts';
import { createFloatModel } from './step-models.ts';
import type { CompiledStep, compileStep, StepPeer, StepWay } from './step-peer.ts';
import { openStepRun, type StepRun } from './step-run.ts';
import { traceKernel } from './step-trace.ts';

/** Ours, as the engine chooses it. */
const kernels: Readonly<Record<string, CreateKernel>> = { cellstream: createStepKernel };

/** Who takes part, those that could be started. */
export interface StepPeers {
  readonly onnx: StepPeer | undefined;
  readonly tfjs: StepPeer | undefined;
  readonly torch: StepPeer | undefined;
  readonly c: ReturnType<typeof compileStep>;
}

/** Of one H and one number of streams. */
export interface ShapeTimes {
  readonly hidden: number;
  readonly streams: number;
  readonly rows: readonly StepTime[];
}

export interface StepTime {
  readonly team: Team;
  /** `cellstream`, or the peer's with its numbers and threads. */
  readonly name: string;
  /** Microseconds a stream-step, the median of all turns. */
  readonly us: number;
  /** 10^9 multiply-adds of W and U a second, in the fastest turn. */
  readonly gmacs: number;
}

type Team =
  | 'cellstream'
  | 'session'
  | `onnx ${StepWay['kind']}`
  | 'onnx alone'
  | 'tfjs'
  | 'torch'
  | 'c'
  | 'c products';

interface StepContestant {
  readonly team: Team;
  readonly name: string;
  /** Stream-steps a call. */
  readonly steps: number;
  readonly threads: number;
  /** Microseconds a call, in the mean of so many. */
  readonly time: (calls: number) => number | Promise<number>;
}

const TURN_US = 25_000;
const MOST_CALLS = 50_000;
/** Steps in the one call that times a kernel alone. */
const SEQUENCE = 1000;
/** Threads of a pool spin for a while before they sleep. */
const PAUSE_MS = 60;

/** @param bits steps whose outputs the C step must share with ours, bit for bit */
export async function measureShape(
  peers: StepPeers,
  {
    hidden,
    streams,
    rounds,
    bits = 1000,
  }: { hidden: number; streams: number; rounds: number; bits?: number },
): Promise<ShapeTimes> {
  const float = createFloatModel(hidden);
  const int8 = quantizeModel(float);
  const threads = [...new Set([1, availableParallelism()])];
  const c = streams === 1 ? await peers.c?.open(int8) : undefined;
  if (c) await proveBits(c, int8, bits);
  for (const peer of [peers.onnx, peers.tfjs, peers.torch]) await peer?.load(float);
  const wayOf = (kind: StepWay['kind'], count: number, sequence = 1) => ({
    kind,
    threads: count,
    streams,
    sequence,
  });
  const many = streams === 1 ? [1] : threads;
  const { onnx, tfjs, torch } = peers;
  const contestants: StepContestant[] = [
    ...Object.entries(kernels).map(([name, create]) =>
      contestantOf('cellstream', name, openStepRun(create, int8, streams)),
    ),
    ...(streams === 1 ? [contestantOf('session', 'cellstream session', openSessionRun(int8))] : []),
    ...(['int8', 'float32'] as const).flatMap((kind) => [
      ...many.flatMap((count) => peerContestant(`onnx ${kind}`, onnx, wayOf(kind, count))),
      ...(streams === 1 ? peerContestant('onnx alone', onnx, wayOf(kind, 1, SEQUENCE)) : []),
    ]),
    ...(c
      ? [
          compiledContestant('c', c.name, c.time),
          compiledContestant('c products', `${c.name}, products alone`, c.timeProducts),
        ]
      : []),
    ...many.flatMap((count) => peerContestant('torch', torch, wayOf('float32', count))),
    ...peerContestant('torch', torch, wayOf('int8', 1)),
    ...peerContestant('tfjs', tfjs, wayOf('float32', 1)),
  ];
  const times = await takeTurns(contestants.map(inTurns), rounds);
  c?.close();
  const multiplyAdds = int8.layers[0].bias.values.length * (int8.layers[0].inputWeights.shape[1] + hidden);
  const rows = contestants.map(({ team, name }, i) => {
    const us = median(times[i]);
    return {
      team,
      name,
      us: significant(us),
      gmacs: significant(multiplyAdds / quantile(times[i], 0) / 1000),
    };
  });
  return { hidden, streams, rows };
}

/** As many calls as fill a turn; a first turn warms up until that is known. */
function inTurns({ steps, threads, time }: StepContestant) {
  let calls = 3;
  let warm = false;
  const run = async () => {
    const us = await time(calls);
    calls = Math.max(1, Math.min(MOST_CALLS, Math.round(TURN_US / us)));
    return us;
  };
  return {
    turn: async () => {
      if (!warm) for (let i = 0; i < 3; i++) await run();
      warm = true;
      const us = await run();
      if (threads > 1) await setTimeout(PAUSE_MS);
      return [us / steps];
    },
  };
}

function contestantOf(
  team: Team,
  name: string,
  { batch, call, sink }: Pick<StepRun, 'batch' | 'call' | 'sink'>,
): StepContestant {
  const time = (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    const us = (1000 * (performance.now() - start)) / calls;
    const sum = sink();
    if (!Number.isFinite(sum) || sum === 0) throw new Error(`${name} answered ${sum} in sum`);
    return us;
  };
  return { team, name, steps: batch, threads: 1, time };
}

function peerContestant(team: Team, peer: StepPeer | undefined, way: StepWay): StepContestant[] {
  if (peer === undefined) return [];
  const { kind, threads, streams, sequence } = way;
  const how = `${threads > 1 ? `, ${threads} threads` : ''}${sequence > 1 ? `, ${sequence} steps a call` : ''}`;
  const name = `${peer.name} ${kind}${how}`;
  return [{ team, name, threads, steps: streams * sequence, time: (calls) => peer.time(way, calls) }];
}

const compiledContestant = (team: Team, name: string, time: StepContestant['time']): StepContestant => ({
  ...{ team, name, time, steps: 1, threads: 1 },
});

/** The same work, or a ratio says nothing. */
async function proveBits(c: CompiledStep, model: Model, steps: number): Promise<void> {
  const found = await c.trace(steps);
  const [, inputs] = model.layers[0].inputWeights.shape;
  const ours = traceKernel(createStepKernel, model, c.frames.subarray(0, steps * inputs));
  const differs = found.y.findIndex((value, t) => Math.fround(value) !== ours.y[t]);
  if (differs >= 0)
    throw new Error(`step ${differs} in C answers ${found.y[differs]}, ours ${ours.y[differs]}`);
}
