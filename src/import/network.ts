import { ImportError } from './import-error.ts';

/** A matrix or a vector, row-major. */
export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** One layer, its gates in our order: i, f, g, o for the LSTM; r, z, n for the GRU. */
export interface RecurrentLayer {
  /** I */
  readonly inputs: number;
  /** H */
  readonly hidden: number;
  /** W [G*H, I] */
  readonly inputWeights: Float32Array;
  /** U [G*H, H] */
  readonly recurrentWeights: Float32Array;
  /** [G*H] each: what W x and U h get. */
  readonly inputBias: Float32Array;
  readonly recurrentBias: Float32Array;
}

/** What another program trained: layers of one cell and a linear head on the topmost hidden state. */
export interface Network {
  readonly cell: 'lstm' | 'gru';
  /** The lowest first. */
  readonly layers: readonly RecurrentLayer[];
  /** V [O, H], d [O] */
  readonly head: { readonly weights: Float32Array; readonly bias: Float32Array };
  readonly outputs: number;
  /** What was found and not used, a line each. */
  readonly notes: readonly string[];
}

/** Says what `weights` must be. */
export function expectShape(found: Weights, expected: readonly number[], what: string): Float32Array {
  const { shape, values } = found;
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return values;
  const isTransposed =
    shape.length === 2 && expected.length === 2 && shape[0] === expected[1] && shape[1] === expected[0];
  const hint = isTransposed ? '; it is transposed' : '';
  throw new ImportError(`${what}: shape [${shape}], expected [${expected}]${hint}`);
}

/** The layers must fit on each other. */
export function checkChain({ layers }: Pick<Network, 'layers'>): void {
  layers.forEach(({ inputs }, i) => {
    const below = layers[i - 1]?.hidden;
    if (below === undefined || inputs === below) return;
    throw new ImportError(`layer ${i} takes ${inputs} values, expected the ${below} of the layer below it`);
  });
}

/** Brings blocks of rows, one a gate, into our order: `order[g]` is where our gate g stands in `values`. */
export function reorderGates(values: Float32Array, order: readonly number[]): Float32Array {
  const block = values.length / order.length;
  const ordered = new Float32Array(values.length);
  order.forEach((from, to) => {
    ordered.set(values.subarray(from * block, (from + 1) * block), to * block);
  });
  return ordered;
}

export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}
