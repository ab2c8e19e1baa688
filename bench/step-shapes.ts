import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { createStepKernel } from '../src/kernels/choose.ts';
import type { Model } from '../src/model/model.ts';
import { quantizeModel } from '../src/quantize/quantize-model.ts';
import { median, quantile, significant, takeTurns } from './rounds.ts';
import { openSessionRun } from './session-run.ts';
import { createFloatModel } from './step-models.ts';
import type { CompiledStep, compileStep, StepPeer, StepWay } from './step-peer.ts';
import { LARGEST_BATCH, openStepRun, type openTeam, type StepRun } from './step-run.ts';
import { traceKernel } from './step-trace.ts';

/** Who takes part, those that could be started. */
export interface StepPeers {
  readonly onnx: StepPeer | undefined;
  readonly tfjs: StepPeer | undefined;
  readonly torch: StepPeer | undefined;
  readonly litert: StepPeer | undefined;
  readonly c: ReturnType<typeof compileStep>;
  /** Ours on all cores. */
  readonly team: Awaited<ReturnType<typeof openTeam>>;
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
  /** Microseconds a stream-step, the median of all times. */
  readonly us: number;
  /** The shortest of them. */
  readonly bestUs: number;
  /** 10^9 multiply-adds of W and U a second, at best. */
  readonly gmacs: number;
}

type Team =
  | 'cellstream'
  | 'session'
  | `onnx ${StepWay['kind']}`
  | 'onnx alone'
  | 'tfjs'
  | 'python'
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

/** A turn is so many times of calls that fill two milliseconds: what interrupts the process, longer by far, then falls
 * into few of them. */
const TIMES = 10;
const TIME_US = 2000;
/** Steps in the one call that times a kernel alone. */
const SEQUENCE = 1000;
/** Of the step in C, whose outputs must have the bits of ours. */
const PROVEN_STEPS = 1000;
/** Threads of a pool spin for a while before they sleep. */
const PAUSE_MS = 60;

/** One H and one number of streams, everybody in turns. */
export async function measureShape(
  peers: StepPeers,
  { hidden, streams, rounds }: { hidden: number; streams: number; rounds: number },
): Promise<ShapeTimes> {
  const float = createFloatModel(hidden);
  const int8 = quantizeModel(float);
  const compiled = streams === 1 ? await peers.c?.open(int8) : undefined;
  if (compiled) await proveBits(compiled, int8);
  for (const peer of [peers.onnx, peers.tfjs, peers.torch, peers.litert]) await peer?.load(float);
  const contestants = [
    ...ownContestants(int8, streams, peers.team),
    ...(compiled ? compiledContestants(compiled) : []),
    ...peerContestants(peers, streams),
  ];
  const times = await takeTurns(contestants.map(inTurns), rounds);
  compiled?.close();
  const [layer] = int8.layers;
  const multiplyAdds = layer.bias.values.length * (layer.inputWeights.shape[1] + hidden);
  const rows = contestants.map(({ team, name }, i) => {
    const [us, bestUs] = [median(times[i]), quantile(times[i], 0)].map(significant);
    return { team, name, us, bestUs, gmacs: significant(multiplyAdds / bestUs / 1000) };
  });
  return { hidden, streams, rows };
}

function ownContestants(int8: Model, streams: number, team: StepPeers['team']): StepContestant[] {
  const chosen = contestantOf('cellstream', 'cellstream', openStepRun(createStepKernel, int8, streams));
  if (streams === 1) return [chosen, contestantOf('session', 'cellstream session', openSessionRun(int8))];
  if (team === undefined || streams < LARGEST_BATCH) return [chosen];
  const name = `cellstream, ${team.threads} threads`;
  return [chosen, contestantOf('cellstream', name, openStepRun(team.createKernel, int8, streams))];
}

/** One thread for one stream; one, and as many as there are cores, for more. */
function peerContestants({ onnx, torch, litert, tfjs }: StepPeers, streams: number): StepContestant[] {
  const counts = streams === 1 ? [1] : [...new Set([1, availableParallelism()])];
  const way = { streams, sequence: 1 };
  return [
    ...(['int8', 'float32'] as const).flatMap((kind) => [
      ...counts.flatMap((threads) => peerContestant(`onnx ${kind}`, onnx, { ...way, kind, threads })),
      ...(streams === 1
        ? peerContestant('onnx alone', onnx, { kind, streams, threads: 1, sequence: SEQUENCE })
        : []),
    ]),
    ...[torch, litert].flatMap((peer) => [
      ...counts.flatMap((threads) => peerContestant('python', peer, { ...way, kind: 'float32', threads })),
      ...peerContestant('python', peer, { ...way, kind: 'int8', threads: 1 }),
    ]),
    ...peerContestant('tfjs', tfjs, { ...way, kind: 'float32', threads: 1 }),
  ];
}

/** As many calls a time as fill it; a first turn warms up until that is known. */
function inTurns({ steps, threads, time }: StepContestant) {
  let calls = 1;
  return {
    turn: async () => {
      const times: number[] = [];
      for (let i = 0; i < TIMES; i++) {
        const us = await time(calls);
        times.push(us / steps);
        calls = Math.max(1, Math.round(TIME_US / us));
        // a long call is a time of its own
        if (us > TIMES * TIME_US) break;
      }
      if (threads > 1) await setTimeout(PAUSE_MS);
      return times;
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

function compiledContestants({ name, time, timeProducts }: CompiledStep): StepContestant[] {
  const alone = { steps: 1, threads: 1 };
  return [
    { ...alone, team: 'c', name, time },
    { ...alone, team: 'c products', name: `${name}, products alone`, time: timeProducts },
  ];
}

/** The same work, or a ratio says nothing. */
async function proveBits(c: CompiledStep, model: Model): Promise<void> {
  const found = await c.trace(PROVEN_STEPS);
  const [, inputs] = model.layers[0].inputWeights.shape;
  const ours = traceKernel(createStepKernel, model, c.frames.subarray(0, PROVEN_STEPS * inputs));
  const differs = found.y.findIndex((value, t) => Math.fround(value) !== ours.y[t]);
  if (differs >= 0)
    throw new Error(`step ${differs} in C answers ${found.y[differs]}, ours ${ours.y[differs]}`);
}
