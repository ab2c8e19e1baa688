// All time steps of an LSTM layer in one call; the arrays of step t lie one after the other.
import { lstmBackward, lstmForward } from './gates';
import { multiply } from './products';
import { add } from './sums';

/** zu = U h, then the gates, t ascending. `zu` has room for one step. */
export function lstmForwardSteps(
  steps: i32,
  rows: i32,
  hidden: i32,
  recurrent: usize,
  zx: usize,
  zu: usize,
  h: usize,
  c: usize,
  gates: usize,
  aside: usize,
): void {
  const state = (<usize>(rows * hidden)) << 2;
  for (let t = 0; t < steps; t++) {
    multiply(zu, h, recurrent, rows, 4 * hidden, hidden, false);
    lstmForward(rows, hidden, zx, zu, c, gates, aside, c + state, h + state);
    zx += 4 * state;
    gates += 4 * state;
    aside += state;
    c += state;
    h += state;
  }
}

/** dh += dL/d output, back through the gates, dh += dz U, t descending from the addresses of the last step. */
export function lstmBackwardSteps(
  steps: i32,
  rows: i32,
  hidden: i32,
  recurrent: usize,
  dOutput: usize,
  c: usize,
  gates: usize,
  aside: usize,
  dh: usize,
  dc: usize,
  dzx: usize,
): void {
  const state = (<usize>(rows * hidden)) << 2;
  for (let t = 0; t < steps; t++) {
    add(dh, dOutput, rows * hidden);
    lstmBackward(rows, hidden, c, gates, aside, dh, dc, dzx);
    multiply(dh, dzx, recurrent, rows, hidden, 4 * hidden, true);
    dOutput -= state;
    c -= state;
    gates -= 4 * state;
    aside -= state;
    dzx -= 4 * state;
  }
}
