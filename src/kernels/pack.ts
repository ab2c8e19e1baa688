// Matrices in the order in which the SIMD step reads them (assembly/inference). Rows of an LSTM's matrix lie in blocks of
// 16: the gates i, f, g, o of four units; where H is no multiple of four the last block is padded with zeros.

/** Units of a block, and rows of a narrow panel. */
const UNITS = 4;
const GATES = 4;
const CELL_GATE = 2;
/** Rows of a wide panel. */
const WIDE = 16;

/** Calls with every row of the blocks in their order; `row` is undefined in the padding. */
function forEachRow(hidden: number, visit: (row: number | undefined, block: number, lane: number) => void) {
  for (let block = 0; block * UNITS < hidden; block++) {
    for (let gate = 0; gate < GATES; gate++) {
      for (let unit = 0; unit < UNITS; unit++) {
        const j = block * UNITS + unit;
        visit(j < hidden ? gate * hidden + j : undefined, block, gate * UNITS + unit);
      }
    }
  }
}

/** Rows of a packed LSTM matrix: 4H, padded. */
export function paddedRows(hidden: number): number {
  return GATES * UNITS * Math.ceil(hidden / UNITS);
}

/** A number a row, a scale or one channel's bias, halved in the rows of the sigmoid gates: sigma(z) = 0.5 + 0.5 tanh(z/2),
 * and half of each term makes half of z. It does so exactly but for terms so small (below 2^-95) that no sigma sees them. */
export function packHalved(values: ArrayLike<number>, at: number, hidden: number): Float32Array {
  const packed = new Float32Array(paddedRows(hidden));
  forEachRow(hidden, (row, block, lane) => {
    const isCellGate = lane >> 2 === CELL_GATE;
    if (row !== undefined) packed[block * GATES * UNITS + lane] = values[at + row] * (isCellGate ? 1 : 0.5);
  });
  return packed;
}

/** [blocks, pairs, 16 rows, 2 columns] for products of int16; an even number of pairs. */
export function packPairs(matrix: Int16Array, hidden: number): Int16Array {
  const columns = matrix.length / (GATES * hidden);
  const pairs = 2 * Math.ceil(columns / 4);
  const packed = new Int16Array(paddedRows(hidden) * pairs * 2);
  forEachRow(hidden, (row, block, lane) => {
    if (row === undefined) return;
    for (let k = 0; k < columns; k++) {
      const pair = block * pairs + (k >> 1);
      packed[(pair * GATES * UNITS + lane) * 2 + (k & 1)] = matrix[row * columns + k];
    }
  });
  return packed;
}

/** [blocks, quads, 4 gates, 2 halves, 4 units, 2 columns] for products of int8. */
export function packQuads(matrix: Int16Array, hidden: number): Int8Array {
  const columns = matrix.length / (GATES * hidden);
  const quads = Math.ceil(columns / 4);
  const packed = new Int8Array(paddedRows(hidden) * quads * 4);
  forEachRow(hidden, (row, block, lane) => {
    if (row === undefined) return;
    const gate = lane >> 2;
    const unit = lane & 3;
    for (let k = 0; k < columns; k++) {
      const quad = block * quads + (k >> 2);
      const half = (k >> 1) & 1;
      packed[(((quad * GATES + gate) * 2 + half) * UNITS + unit) * 2 + (k & 1)] = matrix[row * columns + k];
    }
  });
  return packed;
}

/** A float32 matrix [rows, columns] from `at` on, in panels [columns, 16 rows], then [columns, 4 rows]. */
export function packPanels(values: Float32Array, at: number, rows: number, columns: number): Float32Array {
  const panels: number[] = [];
  for (let row = 0; row < rows; ) {
    const width = rows - row > WIDE - UNITS ? WIDE : UNITS;
    for (let k = 0; k < columns; k++)
      for (let r = row; r < row + width; r++) panels.push(r < rows ? values[at + r * columns + k] : 0);
    row += width;
  }
  return Float32Array.from(panels);
}
