// y = ((d + V h) + S f) + (r + R v), as createAnswer in scalar.ts.
import { storeLanes } from '../lanes';
import {
  BLOCK_COLUMNS,
  BLOCK_COUNT,
  BLOCK_STRIDE,
  HEAD_BIAS,
  HEAD_WEIGHTS,
  HIDDEN,
  HIGHWAY_BIAS,
  HIGHWAY_BIAS_STRIDE,
  HIGHWAY_STRIDE,
  HIGHWAY_WEIGHTS,
  INPUT_SIZE,
  OUTPUT_ROWS,
  SKIP_WEIGHTS,
} from './plan';
import { multiplyRows, multiplyRowsByTwo } from './rows';
import { apart, sums } from './scratch';

/** @param x f, then the highway's v */
export function answer(plan: usize, h: usize, x: usize, channel: i32, y: usize): void {
  const rows = load<i32>(plan, OUTPUT_ROWS);
  const d = load<usize>(plan, HEAD_BIAS);
  if (d === 0) {
    memory.fill(y, 0, (<usize>rows) << 2);
  } else {
    multiplyRows(sums, load<usize>(plan, HEAD_WEIGHTS), h, rows, load<i32>(plan, HIDDEN));
    add(y, d, sums, rows);
    multiplyRows(sums, load<usize>(plan, SKIP_WEIGHTS), x, rows, load<i32>(plan, INPUT_SIZE));
    add(y, y, sums, rows);
  }
  addHighway(plan, x, channel, y);
}

/** The answers of two streams, the second's vectors and channel so far behind those of the first. */
export function answerTwo(
  plan: usize,
  h: usize,
  hApart: usize,
  x: usize,
  xApart: usize,
  channel: i32,
  channel1: i32,
  y: usize,
): void {
  const rows = load<i32>(plan, OUTPUT_ROWS);
  const y1 = y + ((<usize>rows) << 2);
  const d = load<usize>(plan, HEAD_BIAS);
  if (d === 0) {
    memory.fill(y, 0, (<usize>rows) << 3);
  } else {
    const hidden = load<i32>(plan, HIDDEN);
    const inputs = load<i32>(plan, INPUT_SIZE);
    multiplyRowsByTwo(sums, apart, load<usize>(plan, HEAD_WEIGHTS), h, hApart, rows, hidden);
    add(y, d, sums, rows);
    add(y1, d, sums + apart, rows);
    multiplyRowsByTwo(sums, apart, load<usize>(plan, SKIP_WEIGHTS), x, xApart, rows, inputs);
    add(y, y, sums, rows);
    add(y1, y1, sums + apart, rows);
  }
  addHighway(plan, x, channel, y);
  addHighway(plan, x + xApart, channel1, y1);
}

/** y += r + R v */
function addHighway(plan: usize, x: usize, channel: i32, y: usize): void {
  const rows = load<i32>(plan, OUTPUT_ROWS);
  const inputs = load<i32>(plan, INPUT_SIZE);
  const r = load<usize>(plan, HIGHWAY_BIAS);
  if (r === 0) return;
  const blocks = load<i32>(plan, BLOCK_COUNT);
  const columns = load<i32>(plan, BLOCK_COLUMNS);
  const rowsPerBlock = rows / blocks;
  let panels = load<usize>(plan, HIGHWAY_WEIGHTS) + <usize>channel * load<usize>(plan, HIGHWAY_STRIDE);
  let v = x + ((<usize>inputs) << 2);
  // a block's padding is overwritten by the next one
  for (let block = 0; block < blocks; block++) {
    multiplyRows(sums + ((<usize>(block * rowsPerBlock)) << 2), panels, v, rowsPerBlock, columns);
    panels += load<usize>(plan, BLOCK_STRIDE);
    v += (<usize>columns) << 2;
  }
  add(sums, r + <usize>channel * load<usize>(plan, HIGHWAY_BIAS_STRIDE), sums, rows);
  add(y, y, sums, rows);
}

/** out = a + b */
function add(out: usize, a: usize, b: usize, length: i32): void {
  for (let left = length; left > 0; left -= 4) {
    storeLanes(out, f32x4.add(v128.load(a), v128.load(b)), left);
    out += 16;
    a += 16;
    b += 16;
  }
}
