import type { Floats, GateBackward, GateForward, Packed, TrainingKernel } from '../kernels/training.ts';
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
  /** What goes up in place of hAfter where elements are dropped, [T*R, H]. */
  readonly output: Floats;
  /** The factor of every element of h: 0 or 1/(1 - rate). */
  readonly dropout: Floats;
  /** [T*R, G*H]; the backward pass leaves its gradient in the same place */
  readonly zx: Floats;
  readonly dzx: Floats;
  readonly dzu: Floats;
  /** dL/d output [T*R, H], and of every step */
  readonly dOutput: Floats;
  readonly dOutputSteps: readonly Floats[];
  /** dL/dh and dL/dc of the step in hand [R, H] */
  readonly dh: Floats;
  readonly dc: Floats;
  /** The layer's weights as this tape's products read them: forward, and backward. */
  readonly weights: { readonly input: Packed; readonly recurrent: Packed };
  readonly weightsBack: { readonly input: Packed; readonly recurrent: Packed };
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
  /** sharedRows, x, h and output of the top layer and its gradient from step `answersFrom` on. */
  readonly answering: {
    readonly sharedRows: Int32Array;
    readonly x: Floats;
    readonly hAfter: Floats;
    readonly output: Floats;
    readonly dOutput: Floats;
  };
  readonly weights: { readonly head: Packed; readonly skip: Packed; readonly headBack: Packed };
}

export function createTape(
  kernel: TrainingKernel,
  topology: Topology,
  { rows, steps, answersFrom = 0 }: { rows: number; steps: number; answersFrom?: number },
): Tape {
  const { allocate } = kernel.precision;
  const answers = (steps - answersFrom) * rows;
  const { inputs: I, hidden: H, outputs: O } = topology;
  const x = allocate(steps * rows * I);
  const layers = Array.from({ length: topology.layers }, (_, l) =>
    createLayerTape(kernel, topology, { rows, steps, columns: l === 0 ? I : H }),
  );
  const top = layers[topology.layers - 1];
  const first = answersFrom * rows;
  const sharedRows = kernel.allocateIndices(steps * rows);
  return {
    rows,
    steps,
    answersFrom,
    x,
    biasRows: kernel.allocateIndices(steps * rows),
    sharedRows,
    layers,
    dropped: false,
    y: allocate(answers * O),
    dy: allocate(answers * O),
    skipped: allocate(answers * O),
    answering: {
      sharedRows: sharedRows.subarray(first),
      x: x.subarray(first * I),
      hAfter: top.hAfter.subarray(first * H),
      output: top.output.subarray(first * H),
      dOutput: top.dOutput.subarray(first * H),
    },
    weights: {
      head: kernel.createPacked(O, H),
      skip: kernel.createPacked(O, I),
      headBack: kernel.createPacked(O, H),
    },
  };
}

/** What layer l hears: x, or what the layer below sends up. */
export function inputOf({ x, layers, dropped }: Tape, l: number): Floats {
  if (l === 0) return x;
  return dropped ? layers[l - 1].output : layers[l - 1].hAfter;
}

/** What the head hears. */
export function answeringOutput({ answering, dropped }: Tape): Floats {
  return dropped ? answering.output : answering.hAfter;
}

function createLayerTape(
  kernel: TrainingKernel,
  { cell, hidden }: Topology,
  { rows, steps, columns }: { rows: number; steps: number; columns: number },
): LayerTape {
  const { allocate } = kernel.precision;
  const width = rows * hidden;
  const gateWidth = gateCount[cell] * width;
  const h = allocate((steps + 1) * width);
  const c = allocate((steps + 1) * width);
  // z, then the gates, then their gradients: each is read for the last time where the next is written
  const zx = allocate(steps * gateWidth);
  const [gates, dzx] = [zx, zx];
  const zu = allocate(gateWidth);
  const dzu = cell === 'gru' ? allocate(steps * gateWidth) : dzx;
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
  const dOutput = allocate(steps * width);
  const createWeights = () => ({
    input: kernel.createPacked(gateCount[cell] * hidden, columns),
    recurrent: kernel.createPacked(gateCount[cell] * hidden, cell === 'feedforward' ? 0 : hidden),
  });
  return {
    h,
    c,
    hBefore: h.subarray(0, steps * width),
    hAfter: h.subarray(width),
    output: allocate(steps * width),
    dropout: allocate(steps * width),
    zx,
    dzx,
    dzu,
    dOutput,
    dOutputSteps: times.map((t) => stateAt(dOutput, t)),
    dh,
    dc,
    weights: createWeights(),
    weightsBack: createWeights(),
    forwardSteps: times.map((t) => ({
      ...shared(t),
      zx: gatesAt(zx, t),
      zu,
      c: stateAt(c, t + 1),
    })),
    backwardSteps: times.map((t) => ({ ...shared(t), dh, dc, dzx: gatesAt(dzx, t), dzu: gatesAt(dzu, t) })),
  };
}
