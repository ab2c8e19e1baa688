import type { Floats, TrainingKernel } from '../kernels/training.ts';
import { stateSize } from '../model/model.ts';
import { increment } from './answers.ts';
import type { TrainableNetwork } from './network.ts';
import type { Parameters, Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { createTape, type Tape } from './tape.ts';

/** The states after every row of a run, [length, layers, h then c]: where a chunk that begins later carries on. */
type StateCache = readonly Float32Array[];

/** How the streams of a training are cut up and answered. */
export interface StreamPlan {
  /** P */
  readonly phases: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
  /** T for `output: last`, where the state starts at zero every T rows and only the T-th answers; else 0. */
  readonly segment: number;
  /** [run]: rows before validation, before test. */
  readonly trainEnds: readonly number[];
  readonly validationEnds: readonly number[];
}

interface PassOptions extends StreamPlan {
  /** What an error on validation costs. */
  readonly measure: (error: number) => number;
}

/** Blocks of P rows that one forward call covers. */
const BLOCKS = 16;

/** Runs every stream from its first row as it will be served: P consecutive rows are one time step of all P states.
 * It refreshes the cached states of the training part and scores the validation part. */
export function createStatePass(
  kernel: TrainingKernel,
  network: TrainableNetwork,
  topology: Topology,
  runs: readonly Run[],
  options: PassOptions,
) {
  const { phases: P, steps: N, targets: M, segment, trainEnds, validationEnds, measure } = options;
  const { inputs: I, hidden: H, layers, outputs: O, cell } = topology;
  const size = stateSize(topology);
  const width = layers * size;
  const cache: StateCache = runs.map((_, r) => new Float32Array(trainEnds[r] * width));
  const blocks = segment > 0 ? segment : BLOCKS;
  const tape = createTape(kernel, topology, { rows: P, steps: blocks });

  function carryOn(): void {
    for (const { h, c } of tape.layers) {
      if (segment > 0) {
        h.fill(0, 0, P * H);
        c.fill(0, 0, P * H);
      } else {
        h.copyWithin(0, blocks * P * H, (blocks + 1) * P * H);
        c.copyWithin(0, blocks * P * H, (blocks + 1) * P * H);
      }
    }
  }

  function keepStates(run: number, from: number, count: number): void {
    // a feedforward net has none
    if (size === 0) return;
    for (let i = 0; i < count; i++) {
      const row = from + i;
      tape.layers.forEach(({ h, c }, l) => {
        const at = row * width + l * size;
        const source = (P + i) * H;
        cache[run].set(h.subarray(source, source + H), at);
        if (cell === 'lstm') cache[run].set(c.subarray(source, source + H), at + H);
      });
    }
  }

  /** What the answers cost of one row, over its full horizon inside validation. */
  function scoreRow(
    run: number,
    row: number,
    y: Floats,
    at: number,
    sums: { cost: number; count: number },
  ): void {
    if (row < trainEnds[run] - 1 || row + N >= validationEnds[run]) return;
    for (let m = 0; m < M; m++) {
      for (let s = 1; s <= N; s++) {
        const truth = increment(runs[run], M, row, m, s, validationEnds[run]);
        if (Number.isNaN(truth)) continue;
        const error = y[at + m * N + s - 1] - truth;
        sums.cost += measure(error);
        sums.count++;
      }
    }
  }

  function passRun(parameters: Parameters, run: number, sums: { cost: number; count: number }): void {
    const { inputs, series } = runs[run];
    const end = validationEnds[run];
    for (const { h, c } of tape.layers) {
      h.fill(0);
      c.fill(0);
    }
    tape.biasRows.fill(topology.biases > 1 ? series : 0);
    for (let from = 0; from < end; from += blocks * P) {
      const count = Math.min(blocks * P, end - from);
      tape.x.fill(0);
      tape.x.set(inputs.subarray(from * I, (from + count) * I));
      network.forward(parameters, tape);
      keepStates(run, from, Math.max(0, Math.min(count, trainEnds[run] - from)));
      for (let i = 0; i < count; i++) {
        const answers = segment === 0 || i === segment - 1;
        if (answers) scoreRow(run, from + i, tape.y, i * O, sums);
      }
      carryOn();
    }
  }

  /** @returns the mean cost of an error on validation, in z units; NaN when no answer can be scored */
  function pass(parameters: Parameters): number {
    const sums = { cost: 0, count: 0 };
    for (let run = 0; run < runs.length; run++) passRun(parameters, run, sums);
    return sums.cost / sums.count;
  }

  /** Puts the state that row `first` of a run starts from into row r of a tape: zero, or what the row P before left. */
  function restore(target: Tape, r: number, run: number, first: number, zero: boolean): void {
    const before = first - P;
    tape.layers.forEach((_, l) => {
      const { h, c } = target.layers[l];
      const at = before * width + l * size;
      for (let j = 0; j < H; j++) {
        const known = !zero && before >= 0;
        h[r * H + j] = known && size > 0 ? cache[run][at + j] : 0;
        c[r * H + j] = known && cell === 'lstm' ? cache[run][at + H + j] : 0;
      }
    });
  }

  return { pass, restore };
}

export type StatePass = ReturnType<typeof createStatePass>;
