import { describe, expect, test } from 'vitest';
import { type Cell, cells, type Gradients, type State, type Weights } from './cells.ts';
import { expectClose } from './closeness.ts';

const I = 3;
const H = 4;
const T = 9;
// the error of a central difference falls with its square, that of its rounding grows with its inverse
const STEP = 1e-5;

/** Numbers in [-size, size] without a pattern that a gradient could hide in. */
function numbers(length: number, seed: number, size = 0.8): Float64Array {
  return Float64Array.from({ length }, (_, k) => size * Math.sin(seed + 1.7 * k * (1 + 0.013 * k)));
}

function makeState({ name }: Cell, seed: number): State {
  const hiddenState = numbers(H, seed);
  return name === 'lstm' ? { hiddenState, cellState: numbers(H, seed + 1) } : { hiddenState };
}

function makeWeights({ name, gateCount }: Cell): Weights {
  const weights = {
    inputWeights: numbers(gateCount * H * I, 1),
    recurrentWeights: numbers(gateCount * H * H, 2),
    bias: numbers(gateCount * H, 3),
  };
  return name === 'gru' ? { ...weights, recurrentBias: numbers(H, 4) } : weights;
}

function dot(left: ArrayLike<number>, right: ArrayLike<number>): number {
  return Array.from(left).reduce((sum, value, k) => sum + value * right[k], 0);
}

describe.each(cells)('the gradients of the $name cell', (cell) => {
  const variables = {
    weights: makeWeights(cell),
    initialState: makeState(cell, 5),
    inputs: Array.from({ length: T }, (_, t) => numbers(I, 10 + t)),
  };
  const onHidden = Array.from({ length: T }, (_, t) => numbers(H, 30 + t));
  const onFinal = makeState(cell, 50);

  /** Σ_t <onHidden_t, h_t> + <onFinal, (h_T, c_T)> */
  function loss({ weights, initialState, inputs }: Gradients): number {
    const states = cell.forward(weights, initialState, inputs).map(({ after }) => after);
    const last = states[T - 1];
    const along = states.reduce((sum, { hiddenState }, t) => sum + dot(hiddenState, onHidden[t]), 0);
    const atEnd = dot(last.hiddenState, onFinal.hiddenState);
    return along + atEnd + (last.cellState ? dot(last.cellState, onFinal.cellState ?? []) : 0);
  }

  function slope(variable: Float64Array, k: number): number {
    const value = variable[k];
    variable[k] = value + STEP;
    const above = loss(variables);
    variable[k] = value - STEP;
    const below = loss(variables);
    variable[k] = value;
    return (above - below) / (2 * STEP);
  }

  const { weights, initialState, inputs } = variables;
  const tape = cell.forward(weights, initialState, inputs);
  const gradients = cell.backward(weights, tape, onHidden, onFinal);

  test.each([
    ['weights', { ...weights }, { ...gradients.weights }],
    ['initial state', { ...initialState }, { ...gradients.initialState }],
    ['inputs', { ...inputs }, { ...gradients.inputs }],
  ])('are the slopes of the loss: %s', (_, group, groupGradients) => {
    for (const [name, variable] of Object.entries(group)) {
      const gradient = (groupGradients as Record<string, ArrayLike<number>>)[name];
      expect(gradient.length).toBe(variable.length);
      for (let k = 0; k < variable.length; k++) {
        expectClose(gradient[k], slope(variable as Float64Array, k), 1e-8, `${name}[${k}]`);
      }
    }
  });

  test('carry over from one chunk to the one before it', () => {
    const cut = 4;
    const early = cell.forward(weights, initialState, inputs.slice(0, cut));
    const late = cell.forward(weights, early[cut - 1].after, inputs.slice(cut));
    const lateGradients = cell.backward(weights, late, onHidden.slice(cut), onFinal);
    const earlyGradients = cell.backward(weights, early, onHidden.slice(0, cut), lateGradients.initialState);
    expect(earlyGradients.initialState).toEqual(gradients.initialState);
    expect([...earlyGradients.inputs, ...lateGradients.inputs]).toEqual(gradients.inputs);
  });

  test('end with the sequence when nothing is said of what follows', () => {
    const silent = cell.backward(weights, tape, onHidden);
    expect(silent).toEqual(cell.backward(weights, tape, onHidden, cell.zeroState(H)));
  });
});
