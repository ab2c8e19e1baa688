import type { TrainingKernel } from '../kernels/training.ts';
import { purpose, uniform } from '../math/random.ts';
import { countKnown, writeSlopes } from './answers.ts';
import type { Chunk } from './chunks.ts';
import type { Loss } from './losses.ts';
import type { TrainableNetwork } from './network.ts';
import { createParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import type { StatePass } from './state-pass.ts';
import { createTape, type Tape } from './tape.ts';

/** Row r of a minibatch belongs to shard r mod 8, however many workers share the shards: the bits stay the same. */
const SHARDS = 8;

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
  /** `output: last` */
  readonly answersLast: boolean;
  /** The share of chunks that start from a zero state. */
  readonly resets: number;
  readonly dropout: number;
  readonly seed: number;
  /** [run]: rows of the training part. */
  readonly ends: readonly number[];
}

interface Shard {
  readonly tape: Tape;
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
  const { batch, chunk: T, phases: P, steps, targets, resets, dropout, seed, ends } = options;
  const { inputs: I, outputs: O } = topology;
  const answersFrom = options.answersLast ? T - 1 : 0;
  const shards: Shard[] = Array.from({ length: Math.min(SHARDS, batch) }, (_, s) => {
    const rows = Math.ceil((batch - s) / SHARDS);
    return {
      tape: createTape(kernel, topology, { rows, steps: T, answersFrom }),
      gradients: createParameters(kernel, topology),
      batchRows: Int32Array.from({ length: rows }, (_, r) => s + r * SHARDS),
    };
  });

  function gather({ tape, batchRows }: Shard, chunks: readonly Chunk[], update: number): void {
    batchRows.forEach((batchRow, r) => {
      const { run, first } = chunks[batchRow];
      const zero = options.answersLast || uniform(seed, purpose.resets, update, batchRow, 0) < resets;
      states.restore(tape, r, run, first, zero);
      for (let t = 0; t < T; t++) {
        const row = first + t * P;
        tape.x.set(runs[run].inputs.subarray(row * I, (row + 1) * I), (t * tape.rows + r) * I);
        tape.biasRows[t * tape.rows + r] = topology.biases > 1 ? runs[run].series : 0;
      }
    });
  }

  function slopes({ tape, batchRows }: Shard, chunks: readonly Chunk[], weight: number): number {
    let sum = 0;
    const settings = { loss, weight, precision: kernel.precision, targets };
    for (let t = answersFrom; t < T; t++) {
      batchRows.forEach((batchRow, r) => {
        const { run, first } = chunks[batchRow];
        const at = ((t - answersFrom) * tape.rows + r) * O;
        sum += writeSlopes(
          runs[run],
          first + t * P,
          { end: ends[run], steps },
          tape.y,
          tape.dy,
          at,
          settings,
        );
      });
    }
    return sum;
  }

  function countAll(chunks: readonly Chunk[]): number {
    let known = 0;
    for (const { run, first } of chunks) {
      for (let t = answersFrom; t < T; t++) {
        known += countKnown(runs[run], targets, first + t * P, { end: ends[run], steps });
      }
    }
    return known;
  }

  /** ((0+1)+(2+3))+((4+5)+(6+7)), into the first shard. */
  function join(): void {
    for (let stride = 1; stride < SHARDS; stride *= 2) {
      for (let s = 0; s + stride < shards.length; s += 2 * stride) {
        kernel.add(
          shards[s].gradients.flat,
          shards[s + stride].gradients.flat,
          shards[s].gradients.flat.length,
        );
      }
    }
  }

  /** The mean loss of a minibatch of exactly `batch` chunks, and its gradient, which the next call writes over. */
  function compute(
    parameters: Parameters,
    chunks: readonly Chunk[],
    update: number,
  ): { loss: number; gradients: Parameters } {
    const known = countAll(chunks);
    const weight = known === 0 ? 0 : kernel.precision.round(1 / known);
    let sum = 0;
    for (const shard of shards) {
      gather(shard, chunks, update);
      network.forward(parameters, shard.tape, { rate: dropout, seed, update, batchRows: shard.batchRows });
      sum += slopes(shard, chunks, weight);
      shard.gradients.flat.fill(0);
      network.backward(parameters, shard.gradients, shard.tape);
    }
    join();
    return { loss: known === 0 ? 0 : sum / known, gradients: shards[0].gradients };
  }

  return { compute };
}
