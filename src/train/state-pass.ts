import type { Floats, TrainingKernel } from '../kernels/training.ts';
import { pointIndex, stateSize } from '../model/model.ts';
import { addBase, increment } from './answers.ts';
import type { TrainableNetwork } from './network.ts';
import type { Parameters, Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { createTape, type Tape } from './tape.ts';

/** The states after every row of a run, [length, layers, h then c]: where a chunk that begins later carries on. */
type StateCache = readonly Floats[];

/** How the streams of a training are cut up and answered. */
export interface StreamPlan {
  /** P */
  readonly phases: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
  /** Levels, rising; empty for a point alone. */
  readonly quantiles: readonly number[];
  /** T for `output: last`, where the state starts at zero every T rows and only the T-th answers; else 0. */
  readonly segment: number;
  /** [run]: rows before validation, before test. */
  readonly trainEnds: readonly number[];
  readonly validationEnds: readonly number[];
}

interface PassOptions extends StreamPlan {
  /** How many threads may pass groups at a time. */
  readonly threads?: number;
}

/** One phase of a run: rows phase, phase + P, ... carry one state. */
interface Lane {
  readonly run: number;
  readonly phase: number;
}

/** Lanes that go side by side, at most: enough for the kernels, few enough for all cores. */
const LANES = 8;
/** Time steps that one forward call covers. */
const BLOCK = 16;

/** Runs every stream from its first row as it will be served. It refreshes the cached states of the training part and
 * scores the validation part. */
export function createStatePass(
  kernel: TrainingKernel,
  network: TrainableNetwork,
  topology: Topology,
  runs: readonly Run[],
  options: PassOptions,
) {
  const {
    phases: P,
    steps: N,
    targets: M,
    segment,
    trainEnds,
    validationEnds,
    quantiles,
    threads = 1,
  } = options;
  const { inputs: I, hidden: H, layers, outputs: O, cell } = topology;
  const { allocate } = kernel.precision;
  const size = stateSize(topology);
  const width = layers * size;
  const steps = segment > 0 ? segment : BLOCK;
  const { groups, rows } = groupLanes(validationEnds, P);
  const cache: StateCache = runs.map((_, run) => allocate(trainEnds[run] * width));
  const tapes = Array.from({ length: threads }, () => createTape(kernel, topology, { rows, steps }));
  const count = Math.max(1, quantiles.length);
  const point = pointIndex({ quantiles });
  // [run]: the first row whose answer counts for validation, and the points of the answers from there on
  const firstScored = trainEnds.map((end) => Math.max(0, end - 1));
  const answers = runs.map((_, run) => allocate(Math.max(0, validationEnds[run] - firstScored[run]) * M * N));

  function gather(tape: Tape, lanes: readonly Lane[], from: number): void {
    for (let t = 0; t < steps; t++) {
      for (let r = 0; r < rows; r++) {
        const at = (t * rows + r) * I;
        const row = r < lanes.length ? lanes[r].phase + (from + t) * P : 0;
        if (r < lanes.length && row < validationEnds[lanes[r].run]) {
          const { inputs } = runs[lanes[r].run];
          for (let i = 0; i < I; i++) tape.x[at + i] = inputs[row * I + i];
        } else {
          tape.x.fill(0, at, at + I);
        }
      }
    }
  }

  /** Keeps the state after row `row` of a run, and its answer. */
  function keep(tape: Tape, { run }: Lane, row: number, t: number, r: number): void {
    if (row < trainEnds[run] && size > 0) {
      const source = ((t + 1) * rows + r) * H;
      for (let l = 0; l < layers; l++) {
        const { h, c } = tape.layers[l];
        const at = row * width + l * size;
        for (let j = 0; j < H; j++) cache[run][at + j] = h[source + j];
        if (cell === 'lstm') for (let j = 0; j < H; j++) cache[run][at + H + j] = c[source + j];
      }
    }
    if (row >= firstScored[run]) {
      const [at, source] = [(row - firstScored[run]) * M * N, (t * rows + r) * O + point];
      for (let o = 0; o < M * N; o++) answers[run][at + o] = tape.y[source + o * count];
      addBase(runs[run], row, answers[run], at, 1, kernel.precision.round);
    }
  }

  function carryOn({ layers: own }: Tape): void {
    for (const { h, c } of own) {
      for (const state of [h, c]) {
        if (segment > 0) state.fill(0, 0, rows * H);
        else state.copyWithin(0, steps * rows * H, (steps + 1) * rows * H);
      }
    }
  }

  /** Passes one group from its first row to the end of validation. */
  function passGroup(parameters: Parameters, group: number, thread: number): void {
    const tape = tapes[thread];
    const { lanes, length } = groups[group];
    for (const { h, c } of tape.layers) {
      h.fill(0, 0, rows * H);
      c.fill(0, 0, rows * H);
    }
    for (let q = 0; q < steps * rows; q++) {
      const lane = lanes[q % rows];
      tape.biasRows[q] = topology.biases > 1 && lane !== undefined ? runs[lane.run].series : 0;
    }
    for (let from = 0; from < length; from += steps) {
      gather(tape, lanes, from);
      network.forward(parameters, tape);
      for (let t = 0; t < steps; t++) {
        for (let r = 0; r < lanes.length; r++) {
          const row = lanes[r].phase + (from + t) * P;
          if (row < validationEnds[lanes[r].run]) keep(tape, lanes[r], row, t, r);
        }
      }
      carryOn(tape);
    }
  }

  /** Squared errors of validation's points, over their full horizon inside it; summed in the order of the rows. */
  function score(): number {
    let cost = 0;
    let pairs = 0;
    for (let run = 0; run < runs.length; run++) {
      for (let row = firstScored[run]; row + N < validationEnds[run]; row++) {
        if (segment > 0 && row % segment !== segment - 1) continue;
        for (let m = 0; m < M; m++) {
          for (let s = 1; s <= N; s++) {
            const truth = increment(runs[run], M, row, m, s, validationEnds[run]);
            if (Number.isNaN(truth)) continue;
            const error = answers[run][((row - firstScored[run]) * M + m) * N + s - 1] - truth;
            cost += error * error;
            pairs++;
          }
        }
      }
    }
    return cost / pairs;
  }

  /** @returns the mean squared error on validation, in z units; NaN when no answer can be scored */
  function pass(
    parameters: Parameters,
    runAll = (count: number) => {
      for (let group = 0; group < count; group++) passGroup(parameters, group, 0);
    },
  ): number {
    runAll(groups.length);
    return score();
  }

  /** Puts the state that row `first` of a run starts from into row r of a tape: zero, or what the row P before left. */
  function restore(target: Tape, r: number, run: number, first: number, zero: boolean): void {
    const before = first - P;
    const known = !zero && before >= 0;
    for (let l = 0; l < layers; l++) {
      const { h, c } = target.layers[l];
      const at = before * width + l * size;
      for (let j = 0; j < H; j++) {
        h[r * H + j] = known && size > 0 ? cache[run][at + j] : 0;
        c[r * H + j] = known && cell === 'lstm' ? cache[run][at + H + j] : 0;
      }
    }
  }

  return { pass, passGroup, restore };
}

export type StatePass = ReturnType<typeof createStatePass>;

/** Cuts the lanes of all runs into groups of nearly the same size. */
function groupLanes(ends: readonly number[], phases: number) {
  const lanes = ends.flatMap((end, run) =>
    Array.from({ length: Math.min(phases, end) }, (_, phase): Lane => ({ run, phase })),
  );
  const rows = Math.max(1, Math.ceil(lanes.length / Math.ceil(lanes.length / LANES || 1)));
  const groups = Array.from({ length: Math.ceil(lanes.length / rows) }, (_, group) => {
    const own = lanes.slice(group * rows, (group + 1) * rows);
    const length = Math.max(...own.map(({ run, phase }) => Math.ceil((ends[run] - phase) / phases)));
    return { lanes: own, length };
  });
  return { groups, rows };
}
