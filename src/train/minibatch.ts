import type { TrainingKernel } from '../kernels/training.ts';
import { purpose, uniform } from '../math/random.ts';
import { pointIndex } from '../model/model.ts';
import { addBase, countKnown, createSlopeWriter } from './answers.ts';
import type { Chunk } from './chunks.ts';
import type { Loss } from './losses.ts';
import type { TrainableNetwork } from './network.ts';
import { createParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import type { StatePass } from './state-pass.ts';
import { createTape, type Tape } from './tape.ts';

/** Row r of a minibatch belongs to shard r mod 8, however many workers share the shards: the bits stay the same. */
export const SHARDS = 8;

export interface MinibatchOptions {
  /** Rows of a minibatch. */
  readonly batch: number;
  /** T */
  readonly chunk: number;
  readonly phases: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
  /** Levels, rising; empty for a point alone. */
  readonly quantiles: readonly number[];
  /** `output: last` */
  readonly answersLast: boolean;
  /** The share of chunks that start from a zero state. */
  readonly resets: number;
  readonly dropout: number;
  readonly seed: number;
  /** [run]: rows of the training part. */
  readonly trainEnds: readonly number[];
  /** How many threads may compute shards at a time. */
  readonly threads?: number;
}

interface Shard {
  readonly gradients: Parameters;
  readonly batchRows: Int32Array;
}

/** Turns chunks into a gradient: gathers them, runs forward and backward shard by shard and joins the shards. */
export function createMinibatch(
  kernel: TrainingKernel,
  network: TrainableNetwork,
  topology: Topology,
  runs: readonly Run[],
  states: StatePass,
  loss: Loss,
  options: MinibatchOptions,
) {
  const {
    batch,
    chunk: T,
    phases: P,
    steps,
    targets,
    quantiles,
    resets,
    dropout,
    seed,
    trainEnds: ends,
    threads = 1,
  } = options;
  const { precision } = kernel;
  const count = Math.max(1, quantiles.length);
  const point = pointIndex({ quantiles });
  const { inputs: I, outputs: O } = topology;
  const answersFrom = options.answersLast ? T - 1 : 0;
  const shards: Shard[] = Array.from({ length: Math.min(SHARDS, batch) }, (_, s) => ({
    gradients: createParameters(kernel, topology),
    batchRows: Int32Array.from({ length: Math.ceil((batch - s) / SHARDS) }, (_, r) => s + r * SHARDS),
  }));
  // a thread's shards share its tapes, one a number of rows: what stays in its cache is not read from memory again
  const rowCounts = [...new Set(shards.map(({ batchRows }) => batchRows.length))];
  const tapes = Array.from(
    { length: threads },
    () =>
      new Map(rowCounts.map((rows) => [rows, createTape(kernel, topology, { rows, steps: T, answersFrom })])),
  );

  // what the threads that compute the shards are told: [row]: run, first row; then the update
  const orders = kernel.allocateIndices(2 * batch + 1);
  // the weight of an answer; then the loss of every shard
  const numbers = kernel.allocateDoubles(1 + shards.length);
  const known = runs.map(() => new Int32Array(0));
  const writeSlopes = createSlopeWriter({ loss, precision, targets, quantiles });

  function gather({ batchRows }: Shard, tape: Tape, update: number): void {
    const { x, biasRows, rows } = tape;
    for (let r = 0; r < rows; r++) {
      const batchRow = batchRows[r];
      const run = orders[2 * batchRow];
      const first = orders[2 * batchRow + 1];
      const { inputs, series } = runs[run];
      const zero = options.answersLast || uniform(seed, purpose.resets, update, batchRow, 0) < resets;
      states.restore(tape, r, run, first, zero);
      for (let t = 0; t < T; t++) {
        const from = (first + t * P) * I;
        const to = (t * rows + r) * I;
        for (let i = 0; i < I; i++) x[to + i] = inputs[from + i];
        biasRows[t * rows + r] = topology.biases > 1 ? series : 0;
      }
    }
  }

  function slopes({ batchRows }: Shard, tape: Tape): number {
    let sum = 0;
    for (let t = answersFrom; t < T; t++) {
      for (let r = 0; r < tape.rows; r++) {
        const run = orders[2 * batchRows[r]];
        const row = orders[2 * batchRows[r] + 1] + t * P;
        const at = ((t - answersFrom) * tape.rows + r) * O;
        addBase(runs[run], row, tape.y, at + point, count, precision.round);
        sum += writeSlopes(runs[run], row, { end: ends[run], steps }, tape.y, tape.dy, at, numbers[0]);
      }
    }
    return sum;
  }

  /** Answers of a row with a known truth, counted once. */
  function knownOf(run: number, row: number): number {
    if (known[run].length === 0) known[run] = new Int32Array(ends[run]).fill(-1);
    if (known[run][row] < 0) known[run][row] = countKnown(runs[run], targets, row, { end: ends[run], steps });
    return known[run][row];
  }

  function countAll(chunks: readonly Chunk[]): number {
    let known = 0;
    for (const { run, first } of chunks) {
      for (let t = answersFrom; t < T; t++) known += knownOf(run, first + t * P);
    }
    return known;
  }

  /** ((0+1)+(2+3))+((4+5)+(6+7)), into the first shard. */
  function join(): void {
    for (let stride = 1; stride < SHARDS; stride *= 2) {
      for (let s = 0; s + stride < shards.length; s += 2 * stride) {
        const [to, from] = [shards[s].gradients.flat, shards[s + stride].gradients.flat];
        kernel.add(to, from, to.length);
      }
    }
  }

  /** The gradient and the loss of one shard of the minibatch in hand, on any thread. */
  function computeShard(parameters: Parameters, s: number, thread: number): void {
    const shard = shards[s];
    const { batchRows, gradients } = shard;
    const tape = tapes[thread].get(batchRows.length) as Tape;
    const update = orders[2 * batch];
    gather(shard, tape, update);
    network.forward(parameters, tape, { rate: dropout, seed, update, batchRows });
    numbers[1 + s] = slopes(shard, tape);
    gradients.flat.fill(0);
    network.backward(parameters, gradients, tape);
  }

  /** The mean loss of a minibatch of exactly `batch` chunks, and its gradient, which the next call writes over. */
  function compute(
    parameters: Parameters,
    chunks: readonly Chunk[],
    update: number,
    runAll = (count: number) => {
      for (let s = 0; s < count; s++) computeShard(parameters, s, 0);
    },
  ): { loss: number; gradients: Parameters } {
    const answers = countAll(chunks);
    chunks.forEach(({ run, first }, r) => {
      orders[2 * r] = run;
      orders[2 * r + 1] = first;
    });
    orders[2 * batch] = update;
    numbers[0] = answers === 0 ? 0 : precision.round(1 / answers);
    runAll(shards.length);
    let sum = 0;
    for (let s = 0; s < shards.length; s++) sum += numbers[1 + s];
    join();
    return { loss: answers === 0 ? 0 : sum / answers, gradients: shards[0].gradients };
  }

  return { compute, computeShard };
}
