import type { Round } from '../math/activations.ts';
import { uniformOf } from '../math/random.ts';
import type {
  AdamSettings,
  DropSettings,
  Floats,
  Packed,
  Precision,
  TimeRows,
  TrainingKernel,
} from './training.ts';
import { createGates } from './training-gates.ts';
import { createSteps } from './training-steps.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** The numbers of an Adam step, each rounded. */
export function adamConstants(settings: AdamSettings, round: Round) {
  const rate = round(settings.learningRate);
  return {
    rate,
    keep: round(1 - round(rate * round(settings.weightDecay))),
    correction1: round(settings.correction1),
    correction2: round(settings.correction2),
    ...{ b1: round(BETA1), a1: round(1 - BETA1), b2: round(BETA2), a2: round(1 - BETA2) },
    epsilon: round(EPSILON),
  };
}

/** What a unit that is not dropped is scaled by, so that the mean stays. */
export function keptFactor(rate: number, round: Round): number {
  return round(1 / round(1 - rate));
}

/** The rows in the order in which their gradients add. */
function timeDescending({ steps, rows }: TimeRows): Int32Array {
  const rowAt = (i: number) => (steps - 1 - Math.floor(i / rows)) * rows + (i % rows);
  return Int32Array.from({ length: steps * rows }, (_, i) => rowAt(i));
}

/** The readable trainer's arithmetic; four sums run side by side, each in its own order. */
export function createScalarTrainingKernel(precision: Precision): TrainingKernel {
  const { round } = precision;

  function createPacked(n: number, k: number): Packed {
    return { n, k, values: precision.allocate(n * k) };
  }

  function pack({ values }: Packed, w: Floats): void {
    values.set(w);
  }

  function multiply(out: Floats, x: Floats, { values: w, n, k }: Packed, rows: number): void {
    for (let r = 0; r < rows; r++) {
      const at = r * k;
      let j = 0;
      for (; j + 3 < n; j += 4) {
        const row0 = j * k;
        const row1 = row0 + k;
        const row2 = row1 + k;
        const row3 = row2 + k;
        let sum0 = round(0);
        let sum1 = round(0);
        let sum2 = round(0);
        let sum3 = round(0);
        for (let i = 0; i < k; i++) {
          const value = x[at + i];
          sum0 = round(sum0 + round(value * w[row0 + i]));
          sum1 = round(sum1 + round(value * w[row1 + i]));
          sum2 = round(sum2 + round(value * w[row2 + i]));
          sum3 = round(sum3 + round(value * w[row3 + i]));
        }
        out[r * n + j] = sum0;
        out[r * n + j + 1] = sum1;
        out[r * n + j + 2] = sum2;
        out[r * n + j + 3] = sum3;
      }
      for (; j < n; j++) {
        let sum = round(0);
        for (let i = 0; i < k; i++) sum = round(sum + round(x[at + i] * w[j * k + i]));
        out[r * n + j] = sum;
      }
    }
  }

  /** out[at..] += sum of coefficients[first + q*step] * the q-th of four rows, q ascending. */
  function addFour(
    out: Floats,
    at: number,
    a: Floats,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
    x: Floats,
    x0: number,
    x1: number,
    x2: number,
    x3: number,
    length: number,
  ): void {
    const c0 = a[a0];
    const c1 = a[a1];
    const c2 = a[a2];
    const c3 = a[a3];
    for (let i = 0; i < length; i++) {
      let sum = out[at + i];
      sum = round(sum + round(c0 * x[x0 + i]));
      sum = round(sum + round(c1 * x[x1 + i]));
      sum = round(sum + round(c2 * x[x2 + i]));
      sum = round(sum + round(c3 * x[x3 + i]));
      out[at + i] = sum;
    }
  }

  function addOne(
    out: Floats,
    at: number,
    coefficient: number,
    x: Floats,
    from: number,
    length: number,
  ): void {
    for (let i = 0; i < length; i++) out[at + i] = round(out[at + i] + round(coefficient * x[from + i]));
  }

  function multiplyBack(out: Floats, d: Floats, w: Packed, rows: number, onto: boolean): void {
    const { values, n, k } = w;
    if (!onto) out.fill(0, 0, rows * k);
    for (let r = 0; r < rows; r++) {
      const at = r * n;
      let j = 0;
      for (; j + 3 < n; j += 4) {
        addFour(
          out,
          r * k,
          d,
          at + j,
          at + j + 1,
          at + j + 2,
          at + j + 3,
          values,
          j * k,
          j * k + k,
          j * k + 2 * k,
          j * k + 3 * k,
          k,
        );
      }
      for (; j < n; j++) addOne(out, r * k, d[at + j], values, j * k, k);
    }
  }

  function accumulate(gradient: Floats, d: Floats, x: Floats, time: TimeRows, n: number, k: number): void {
    const order = timeDescending(time);
    for (let j = 0; j < n; j++) {
      let q = 0;
      for (; q + 3 < order.length; q += 4) {
        const r0 = order[q];
        const r1 = order[q + 1];
        const r2 = order[q + 2];
        const r3 = order[q + 3];
        addFour(
          gradient,
          j * k,
          d,
          r0 * n + j,
          r1 * n + j,
          r2 * n + j,
          r3 * n + j,
          x,
          r0 * k,
          r1 * k,
          r2 * k,
          r3 * k,
          k,
        );
      }
      for (; q < order.length; q++) addOne(gradient, j * k, d[order[q] * n + j], x, order[q] * k, k);
    }
  }

  function affine(out: Floats, x: Floats, w: Packed, bias: Floats, biasRows: Int32Array): void {
    const { n } = w;
    multiply(out, x, w, biasRows.length);
    for (let r = 0; r < biasRows.length; r++) {
      const from = biasRows[r] * n;
      for (let j = 0; j < n; j++) out[r * n + j] = round(out[r * n + j] + bias[from + j]);
    }
  }

  function accumulateBias(
    gradient: Floats,
    d: Floats,
    biasRows: Int32Array,
    time: TimeRows,
    n: number,
    { from, stride } = { from: 0, stride: n },
  ): void {
    for (const r of timeDescending(time)) {
      const at = biasRows[r] * n;
      const column = r * stride + from;
      for (let j = 0; j < n; j++) gradient[at + j] = round(gradient[at + j] + d[column + j]);
    }
  }

  function add(out: Floats, x: Floats, length: number): void {
    for (let i = 0; i < length; i++) out[i] = round(out[i] + x[i]);
  }

  function scale(out: Floats, x: Floats, length: number): void {
    for (let i = 0; i < length; i++) out[i] = round(out[i] * x[i]);
  }

  function drop(out: Floats, factors: Floats, x: Floats, settings: DropSettings): void {
    const { steps, rows, hidden, rate, counters, firstUnit, unitsPerStep } = settings;
    const kept = keptFactor(rate, round);
    for (let q = 0; q < steps * rows; q++) {
      const unit = firstUnit + Math.floor(q / rows) * unitsPerStep;
      for (let j = 0; j < hidden; j++) {
        const at = q * hidden + j;
        factors[at] = uniformOf(counters[q % rows], unit + j) >= rate ? kept : 0;
        out[at] = round(x[at] * factors[at]);
      }
    }
  }

  /** m' = b1 m + (1-b1) g,  v' = b2 v + (1-b2) g^2,  w' = (1 - lr wd) w - lr (m'/k1) / (sqrt(v'/k2) + eps)
   * (Kingma and Ba 2015; decoupled decay: Loshchilov and Hutter 2019). */
  function adam(parameters: Floats, gradient: Floats, m: Floats, v: Floats, settings: AdamSettings): void {
    const { rate, keep, correction1, correction2, b1, a1, b2, a2, epsilon } = adamConstants(settings, round);
    for (let i = 0; i < parameters.length; i++) {
      const g = gradient[i];
      const mean = round(round(b1 * m[i]) + round(a1 * g));
      const square = round(round(b2 * v[i]) + round(a2 * round(g * g)));
      m[i] = mean;
      v[i] = square;
      const step = round(
        round(mean / correction1) / round(round(Math.sqrt(round(square / correction2))) + epsilon),
      );
      parameters[i] = round(round(keep * parameters[i]) - round(rate * step));
    }
  }

  const parts = {
    precision,
    allocateIndices: (length: number) => new Int32Array(length),
    allocateDoubles: (length: number) => new Float64Array(length),
    createPacked,
    pack,
    packBack: pack,
    multiply,
    multiplyBack,
    accumulate,
    affine,
    accumulateBias,
    add,
    scale,
    drop,
    adam,
    ...createGates(precision),
  };
  return { ...parts, ...createSteps(parts) };
}
