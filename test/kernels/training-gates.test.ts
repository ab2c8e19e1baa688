import { describe, expect, test } from 'vitest';
import {
  float32,
  type GateBackward,
  type GateForward,
  type TrainingKernel,
} from '../../src/kernels/training.ts';
import { createRandom } from '../fixtures/series.ts';
import { place, trainingKernels } from './training-kernels.ts';

const { tanh } = float32;
const f = Math.fround;
const add = (a: number, b: number) => f(a + b);
const mul = (a: number, b: number) => f(a * b);
/** Products from left to right. */
const product = (first: number, ...others: number[]) => others.reduce(mul, first);
const sigmoid = (x: number) => add(0.5, mul(0.5, tanh(mul(0.5, x))));
const sigmoidSlope = (s: number) => mul(s, f(1 - s));
const tanhSlope = (t: number) => f(1 - mul(t, t));

interface Unit {
  readonly z: readonly number[];
  readonly zu: readonly number[];
  readonly h: number;
  readonly c: number;
  readonly recurrentBias: number;
  readonly dh: number;
  readonly dc: number;
}

/** What one unit of one stream becomes; the rows of a gate array in the order of the gates. */
interface Stepped {
  readonly h: number;
  readonly c?: number;
  readonly dzx: readonly number[];
  readonly dzu?: readonly number[];
  readonly dh: number;
  readonly dc?: number;
}

const cells: Record<'rnn' | 'lstm' | 'gru', (unit: Unit) => Stepped> = {
  rnn({ z, zu, dh }) {
    const h = tanh(add(z[0], zu[0]));
    return { h, dzx: [mul(dh, tanhSlope(h))], dh: 0 };
  },
  lstm({ z, zu, c: before, dh, dc }) {
    const sums = z.map((value, k) => add(value, zu[k]));
    const [i, forget, o] = [sigmoid(sums[0]), sigmoid(sums[1]), sigmoid(sums[3])];
    const g = tanh(sums[2]);
    const c = add(mul(i, g), mul(forget, before));
    const dCell = add(dc, product(dh, o, tanhSlope(tanh(c))));
    return {
      h: mul(o, tanh(c)),
      c,
      dzx: [
        product(dCell, g, sigmoidSlope(i)),
        product(dCell, before, sigmoidSlope(forget)),
        product(dCell, i, tanhSlope(g)),
        product(dh, tanh(c), sigmoidSlope(o)),
      ],
      dh: 0,
      dc: mul(dCell, forget),
    };
  },
  gru({ z, zu, h: before, recurrentBias, dh }) {
    const [r, update] = [sigmoid(add(z[0], zu[0])), sigmoid(add(z[1], zu[1]))];
    const inner = add(zu[2], recurrentBias);
    const n = tanh(add(z[2], mul(r, inner)));
    const dNew = product(dh, f(1 - update), tanhSlope(n));
    const dReset = product(dNew, inner, sigmoidSlope(r));
    const dUpdate = product(dh, f(before - n), sigmoidSlope(update));
    return {
      h: add(mul(f(1 - update), n), mul(update, before)),
      dzx: [dReset, dUpdate, dNew],
      dzu: [dReset, dUpdate, mul(dNew, r)],
      dh: mul(dh, update),
    };
  },
};

const gateCounts = { rnn: 1, lstm: 4, gru: 3 } as const;

function makeStep(kernel: TrainingKernel, gates: number, rows: number, hidden: number) {
  const random = createRandom(rows * 100 + hidden);
  // into the flat ends of the gates too
  const numbers = (length: number) =>
    place(
      kernel,
      Array.from({ length }, () => 9 * (2 * random() - 1) ** 3),
    );
  const zeros = (length: number) => place(kernel, new Float32Array(length));
  const [states, wide] = [rows * hidden, rows * gates * hidden];
  const dzx = zeros(wide);
  const forward: GateForward = {
    ...{ rows, hidden, zx: numbers(wide), zu: numbers(wide) },
    ...{ hPrevious: numbers(states), cPrevious: numbers(states) },
    ...{ gates: zeros(wide), aside: zeros(states) },
    ...{ c: zeros(states), h: zeros(states) },
  };
  const dzu = gates === 3 ? zeros(wide) : dzx;
  const backward: GateBackward = { ...forward, dh: numbers(states), dc: numbers(states), dzx, dzu };
  return { forward, backward, recurrentBias: numbers(hidden) };
}

function run(kernel: TrainingKernel, cell: keyof typeof cells, step: ReturnType<typeof makeStep>): void {
  const { forward, backward, recurrentBias } = step;
  if (cell === 'gru') {
    kernel.gruForward(forward, recurrentBias);
    kernel.gruBackward(backward);
  } else if (cell === 'lstm') {
    kernel.lstmForward(forward);
    kernel.lstmBackward(backward);
  } else {
    kernel.rnnForward(forward);
    kernel.rnnBackward(backward);
  }
}

describe.each(trainingKernels)('the %s training kernel', (_, kernel) => {
  describe.each(['rnn', 'lstm', 'gru'] as const)('steps the gates of the %s cell there and back', (cell) => {
    test.each([
      [1, 1],
      [3, 4],
      [2, 7],
      [5, 9],
      [3, 16],
    ])('in float32, one rounding an operation: %i rows of %i units', (rows, hidden) => {
      const gates = gateCounts[cell];
      const step = makeStep(kernel, gates, rows, hidden);
      const { forward, backward, recurrentBias } = step;
      const [dh, dc] = [backward.dh.slice(), backward.dc.slice()];
      run(kernel, cell, step);
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < hidden; j++) {
          const at = r * hidden + j;
          const gateAt = Array.from({ length: gates }, (_, k) => (r * gates + k) * hidden + j);
          const pick = (values: ArrayLike<number>) => gateAt.map((index) => values[index]);
          const expected = cells[cell]({
            ...{ z: pick(forward.zx), zu: pick(forward.zu), dh: dh[at], dc: dc[at] },
            ...{ h: forward.hPrevious[at], c: forward.cPrevious[at], recurrentBias: recurrentBias[j] },
          });
          expect(forward.h[at]).toBe(expected.h);
          expect(pick(backward.dzx)).toEqual(expected.dzx);
          expect(pick(backward.dzu)).toEqual(expected.dzu ?? expected.dzx);
          expect(backward.dh[at]).toBe(expected.dh);
          if (cell !== 'lstm') continue;
          expect(forward.c[at]).toBe(expected.c);
          expect(backward.dc[at]).toBe(expected.dc);
        }
      }
    });
  });
});
