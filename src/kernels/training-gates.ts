import type { Floats, GateBackward, GateForward, Precision, TrainingKernel } from './training.ts';

type Gates = Pick<
  TrainingKernel,
  'rnnForward' | 'rnnBackward' | 'lstmForward' | 'lstmBackward' | 'gruForward' | 'gruBackward'
>;

/** The elementwise part of each cell, forward and backward side by side. */
export function createGates({ round, tanh }: Precision): Gates {
  const sigmoid = (x: number) => round(0.5 + round(0.5 * tanh(round(0.5 * x))));
  /** sigma' = s (1 - s), from the activated value. */
  const sigmoidSlope = (s: number) => round(s * round(1 - s));
  /** tanh' = 1 - t^2, from the activated value. */
  const tanhSlope = (t: number) => round(1 - round(t * t));

  /** h' = tanh(zx + zu) */
  function rnnForward({ rows, hidden, zx, zu, h }: GateForward): void {
    for (let i = 0; i < rows * hidden; i++) h[i] = tanh(round(zx[i] + zu[i]));
  }

  function rnnBackward({ rows, hidden, h, dh, dzx }: GateBackward): void {
    for (let i = 0; i < rows * hidden; i++) {
      dzx[i] = round(dh[i] * tanhSlope(h[i]));
      dh[i] = 0;
    }
  }

  /** i, f, o = sigma(z), g = tanh(z), z = zx + zu;  c' = i*g + f*c;  h' = o*tanh(c') */
  function lstmForward({ rows, hidden, zx, zu, cPrevious, gates, aside, c, h }: GateForward): void {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < hidden; j++) {
        const at = r * hidden + j;
        const z = 4 * r * hidden + j;
        const i = sigmoid(round(zx[z] + zu[z]));
        const f = sigmoid(round(zx[z + hidden] + zu[z + hidden]));
        const g = tanh(round(zx[z + 2 * hidden] + zu[z + 2 * hidden]));
        const o = sigmoid(round(zx[z + 3 * hidden] + zu[z + 3 * hidden]));
        gates[z] = i;
        gates[z + hidden] = f;
        gates[z + 2 * hidden] = g;
        gates[z + 3 * hidden] = o;
        c[at] = round(round(i * g) + round(f * cPrevious[at]));
        aside[at] = tanh(c[at]);
        h[at] = round(o * aside[at]);
      }
    }
  }

  /** do = dh*tanh(c');  dc += dh*o*(1 - tanh(c')^2);  di = dc*g, df = dc*c, dg = dc*i;  dc <- dc*f */
  function lstmBackward({ rows, hidden, cPrevious, gates, aside, dh, dc, dzx }: GateBackward): void {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < hidden; j++) {
        const at = r * hidden + j;
        const z = 4 * r * hidden + j;
        const i = gates[z];
        const f = gates[z + hidden];
        const g = gates[z + 2 * hidden];
        const o = gates[z + 3 * hidden];
        const dCell = round(dc[at] + round(round(dh[at] * o) * tanhSlope(aside[at])));
        dzx[z] = round(round(dCell * g) * sigmoidSlope(i));
        dzx[z + hidden] = round(round(dCell * cPrevious[at]) * sigmoidSlope(f));
        dzx[z + 2 * hidden] = round(round(dCell * i) * tanhSlope(g));
        dzx[z + 3 * hidden] = round(round(dh[at] * aside[at]) * sigmoidSlope(o));
        dc[at] = round(dCell * f);
        dh[at] = 0;
      }
    }
  }

  /** r, z = sigma(zx + zu);  n = tanh(zx + r*(zu + b_n));  h' = (1 - z)*n + z*h */
  function gruForward(
    { rows, hidden, zx, zu, hPrevious, gates, aside, h }: GateForward,
    recurrentBias: Floats,
  ): void {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < hidden; j++) {
        const at = row * hidden + j;
        const gate = 3 * row * hidden + j;
        const r = sigmoid(round(zx[gate] + zu[gate]));
        const z = sigmoid(round(zx[gate + hidden] + zu[gate + hidden]));
        aside[at] = round(zu[gate + 2 * hidden] + recurrentBias[j]);
        const n = tanh(round(zx[gate + 2 * hidden] + round(r * aside[at])));
        gates[gate] = r;
        gates[gate + hidden] = z;
        gates[gate + 2 * hidden] = n;
        h[at] = round(round(round(1 - z) * n) + round(z * hPrevious[at]));
      }
    }
  }

  /** dn = dh*(1 - z), dz = dh*(h - n), dr = dn'*(U h + b_n);  U h of the candidate gets dn'*r;  dh <- dh*z */
  function gruBackward({ rows, hidden, hPrevious, gates, aside, dh, dzx, dzu }: GateBackward): void {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < hidden; j++) {
        const at = row * hidden + j;
        const gate = 3 * row * hidden + j;
        const r = gates[gate];
        const z = gates[gate + hidden];
        const n = gates[gate + 2 * hidden];
        const dNew = round(round(dh[at] * round(1 - z)) * tanhSlope(n));
        const dReset = round(round(dNew * aside[at]) * sigmoidSlope(r));
        const dUpdate = round(round(dh[at] * round(hPrevious[at] - n)) * sigmoidSlope(z));
        dzx[gate] = dReset;
        dzx[gate + hidden] = dUpdate;
        dzx[gate + 2 * hidden] = dNew;
        dzu[gate] = dReset;
        dzu[gate + hidden] = dUpdate;
        dzu[gate + 2 * hidden] = round(dNew * r);
        dh[at] = round(dh[at] * z);
      }
    }
  }

  return { rnnForward, rnnBackward, lstmForward, lstmBackward, gruForward, gruBackward };
}
