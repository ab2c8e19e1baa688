import type { Floats, GateBackward, GateForward, TrainingKernel } from '../kernels/training.ts';
import { gateCount } from '../model/model.ts';
import type { Topology } from './parameters.ts';

/** What one layer remembers of the forward pass; rows are ordered (time, stream). */
export interface LayerTape {
  /** [(T+1) * R, H], the state before the first step first */
  readonly h: Floats;
  readonly c: Floats;
  /** h before every step, and after it: views of `h`, [T*R, H] */
  readonly hBefore: Floats;
  readonly hAfter: Floats;
  /** What goes up: h after dropout, [T*R, H]. */
  readonly output: Floats;
  /** The factor of every element of h: 0 or 1/(1 - rate). */
  readonly dropout: Floats;
  /** [T*R, G*H] */
  readonly zx: Floats;
  readonly zu: Floats;
  readonly dzx: Floats;
  readonly dzu: Floats;
  /** dL/d output [T*R, H] */
  readonly dOutput: Floats;
  /** dL/dh and dL/dc of the step in hand [R, H] */
  readonly dh: Floats;
  readonly dc: Floats;
  readonly forwardSteps: readonly GateForward[];
  readonly backwardSteps: readonly GateBackward[];
}

/** Buffers for T steps of R streams, made once; `forward` and `backward` write them over. */
export interface Tape {
  readonly rows: number;
  readonly steps: number;
  /** [T*R, I] */
  readonly x: Floats;
  /** The bias (channel) of every row of x, and the zeros that the other layers use. */
  readonly biasRows: Int32Array;
  readonly sharedRows: Int32Array;
  readonly layers: readonly LayerTape[];
  /** Whether the last forward pass dropped elements of h. */
  dropped: boolean;
  /** The first step whose answer counts: 0, or T - 1 for `output: last`. */
  readonly answersFrom: number;
  /** Answers of the steps from `answersFrom` on, and their gradients: [(T - answersFrom) * R, O] */
  readonly y: Floats;
  readonly dy: Floats;
  /** S f of the same rows. */
  readonly skipped: Floats;
  /** Rows with t descending, then r ascending: the order in which weight gradients add. */
  readonly order: Int32Array;
  readonly answerOrder: Int32Array;
}

export function createTape(
  kernel: TrainingKernel,
  topology: Topology,
  { rows, steps, answersFrom = 0 }: { rows: number; steps: number; answersFrom?: number },
): Tape {
  const { allocate } = kernel.precision;
  const answers = (steps - answersFrom) * rows;
  return {
    rows,
    steps,
    answersFrom,
    x: allocate(steps * rows * topology.inputs),
    biasRows: new Int32Array(steps * rows),
    sharedRows: new Int32Array(steps * rows),
    layers: Array.from({ length: topology.layers }, () => createLayerTape(kernel, topology, rows, steps)),
    dropped: false,
    y: allocate(answers * topology.outputs),
    dy: allocate(answers * topology.outputs),
    skipped: allocate(answers * topology.outputs),
    order: timeDescending(rows, steps),
    answerOrder: timeDescending(rows, steps - answersFrom),
  };
}

function timeDescending(rows: number, steps: number): Int32Array {
  return Int32Array.from(
    { length: rows * steps },
    (_, i) => (steps - 1 - Math.floor(i / rows)) * rows + (i % rows),
  );
}

function createLayerTape(
  kernel: TrainingKernel,
  { cell, hidden }: Topology,
  rows: number,
  steps: number,
): LayerTape {
  const { allocate } = kernel.precision;
  const width = rows * hidden;
  const gateWidth = gateCount[cell] * width;
  const h = allocate((steps + 1) * width);
  const c = allocate((steps + 1) * width);
  const zx = allocate(steps * gateWidth);
  const zu = allocate(steps * gateWidth);
  const dzx = allocate(steps * gateWidth);
  const dzu = cell === 'gru' ? allocate(steps * gateWidth) : dzx;
  const gates = allocate(steps * gateWidth);
  const aside = allocate(steps * width);
  const [dh, dc] = [allocate(width), allocate(width)];
  const stateAt = (state: Floats, t: number) => state.subarray(t * width, (t + 1) * width);
  const gatesAt = (values: Floats, t: number) => values.subarray(t * gateWidth, (t + 1) * gateWidth);
  const shared = (t: number) => ({
    rows,
    hidden,
    hPrevious: stateAt(h, t),
    cPrevious: stateAt(c, t),
    gates: gatesAt(gates, t),
    aside: stateAt(aside, t),
    h: stateAt(h, t + 1),
  });
  const times = Array.from({ length: steps }, (_, t) => t);
  return {
    h,
    c,
    hBefore: h.subarray(0, steps * width),
    hAfter: h.subarray(width),
    output: allocate(steps * width),
    dropout: allocate(steps * width),
    zx,
    zu,
    dzx,
    dzu,
    dOutput: allocate(steps * width),
    dh,
    dc,
    forwardSteps: times.map((t) => ({
      ...shared(t),
      zx: gatesAt(zx, t),
      zu: gatesAt(zu, t),
      c: stateAt(c, t + 1),
    })),
    backwardSteps: times.map((t) => ({ ...shared(t), dh, dc, dzx: gatesAt(dzx, t), dzu: gatesAt(dzu, t) })),
  };
}
