import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { purpose, uniform } from '../src/math/random.ts';
import { openMachine } from '../src/train/machine.ts';
import { createOptimizerState, updateParameters } from '../src/train/optimizer.ts';
import { initializeParameters } from '../src/train/parameters.ts';
import { bundleWorker } from '../test/train/team-worker.ts';
import { readCount } from './arguments.ts';
import { startPeer } from './peer.ts';
import { compareWith, type Measure, median, printMeasures, quantile, takeTurns } from './rounds.ts';

const [T, B, I] = [96, 64, 8];
const sizes = [32, 64, 128];
/** What a round of every contestant runs, after the first one, which warms up. */
const UPDATES = 8;

/** A contestant on some threads: `run` gives the milliseconds of each update. */
interface Contestant {
  readonly team: 'ours' | 'PyTorch' | 'tfjs';
  readonly name: string;
  readonly run: (hidden: number, updates: number) => Promise<number[]>;
  readonly threads: number;
}

/** Training updates (T=96, B=64, I=8, one linear head, Adam) of ours, PyTorch and tfjs in turns. PYTHON names the
 * interpreter that has torch; tfjs comes from `npm ci --prefix bench/peers`. */
export async function benchTrain(args: readonly string[]): Promise<Measure[]> {
  const options = {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '6' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const rounds = readCount('rounds', values.rounds);
  const peerFile = (name: string) => fileURLToPath(new URL(`peers/${name}`, import.meta.url));
  const torch = await startPeer(process.env.PYTHON ?? 'python3', [peerFile('train.py')]);
  const tfjs = await startPeer(process.execPath, [peerFile('train-tfjs.mjs')]);
  const threadCounts = [...new Set([1, availableParallelism()])];
  const worker = await bundleWorker();
  const measures: Measure[] = [];
  for (const hidden of sizes) {
    const machines = threadCounts.map((threads) => createOurs(hidden, threads, worker));
    const contestants: Contestant[] = [
      ...machines.map(({ contestant }) => contestant),
      ...(torch ? threadCounts.map((threads) => createPeer('PyTorch', torch, threads)) : []),
      ...(tfjs ? [createPeer('tfjs', tfjs, threadCounts.length)] : []),
    ];
    const turns = contestants.map((contestant) => ({
      turn: async () => {
        const ms = await contestant.run(hidden, updatesOf(contestant));
        // OpenMP's threads spin for a while before they sleep
        await setTimeout(250);
        return ms;
      },
    }));
    const times = await takeTurns(turns, rounds);
    for (const { close } of machines) close();
    measures.push(...compare(contestants, times, hidden));
  }
  torch?.close();
  tfjs?.close();
  printMeasures(measures, values.json);
  return measures;
}

function createPeer(
  team: Contestant['team'],
  peer: NonNullable<Awaited<ReturnType<typeof startPeer>>>,
  threads: number,
): Contestant {
  return {
    ...{ team, threads, name: peer.name },
    run: async (hidden, updates) => (await peer.ask({ hidden, threads, updates })).ms as number[],
  };
}

/** The trainer's own update: gathering chunks, forward, loss, backward, clipping and Adam. */
function createOurs(hidden: number, threads: number, worker: URL) {
  const topology = { cell: 'lstm', layers: 1, hidden, inputs: I, outputs: 1, biases: 1 } as const;
  const length = 3000;
  const numbers = (count: number, row: number) =>
    Float32Array.from({ length: count }, (_, i) => 2 * uniform(1, purpose.weights, 0, row, i) - 1);
  const run = {
    ...{ series: 0, firstSlot: 0, length, inputs: numbers(length * I, 1), targets: numbers(length, 2) },
    read: new Uint8Array(length).fill(1),
    widths: new Float32Array(length).fill(1),
  };
  const plan = {
    ...{
      phases: 1,
      steps: 1,
      targets: 1,
      quantiles: [],
      segment: 0,
      trainEnds: [length],
      validationEnds: [length],
    },
    ...{ batch: B, chunk: T, answersLast: false, resets: 1, dropout: 0, seed: 1 },
    lossKind: 'mse' as const,
  };
  const machine = openMachine(topology, [run], plan, length, { threads, worker });
  const { kernel, parameters } = machine;
  initializeParameters(parameters, topology, 1);
  const state = createOptimizerState(kernel, parameters.flat.length);
  const settings = {
    ...{ optimizer: 'adam' as const, schedule: 'constant' as const },
    ...{ learningRate: 0.001, weightDecay: 0, clip: 1 },
  };
  const chunks = Array.from({ length: B }, (_, i) => ({ run: 0, first: 40 * i }));
  const update = () => {
    const { gradients } = machine.compute(chunks, state.update);
    updateParameters(kernel, parameters.flat, gradients.flat, state, settings, 0);
  };
  const contestant: Contestant = {
    ...{ team: 'ours', name: 'ours', threads },
    run: async (_, updates) =>
      Array.from({ length: updates }, () => {
        const start = performance.now();
        update();
        return performance.now() - start;
      }),
  };
  return { contestant, close: machine.close };
}

/** In a turn: the slowest by far need no long ones. */
const updatesOf = ({ team }: Contestant) => (team === 'tfjs' ? 1 : UPDATES);

function compare(contestants: readonly Contestant[], times: readonly number[][], hidden: number): Measure[] {
  const speeds = contestants.map((contestant, i) => {
    const speed = (ms: number) => Math.round((1000 * T * B) / ms);
    return { ...contestant, typical: speed(median(times[i])), best: speed(quantile(times[i], 0)) };
  });
  for (const { name, threads, team, typical, best } of speeds) {
    const how = team === 'tfjs' ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    console.error(`H=${hidden} ${name}${how}: ${typical} timesteps/s in the median, ${best} at best`);
  }
  const bestOf = (team: Contestant['team']) =>
    speeds.filter((speed) => speed.team === team).sort((left, right) => right.typical - left.typical)[0];
  const ours = bestOf('ours').typical;
  return (['PyTorch', 'tfjs'] as const).flatMap((team) => {
    const best = bestOf(team);
    if (best === undefined) return [];
    const name = `training H=${hidden}, timesteps/s, beside ${best.name}`;
    return [compareWith(name, ours, best.typical, { must: 1, aim: 2, lowerIsBetter: false })];
  });
}
