import { describe, expect, test } from 'vitest';
import { stepGru } from '../../src/cell/gru.ts';
import { stepLstm } from '../../src/cell/lstm.ts';
import { stepRnn } from '../../src/cell/rnn.ts';
import { createTanh, tanh } from '../../src/math/activations.ts';
import { add, multiply } from '../../src/math/dense.ts';
import type { FloatTensor, Layer, Model } from '../../src/model/model.ts';
import { createModel, floatModel, shapeOf } from '../fixtures/random-model.ts';
import {
  EXTRA,
  extraOf,
  kernels,
  openKernel,
  outputsOf,
  place,
  randomInputs,
  stateOf,
  stepOne,
} from './kernels.ts';

const values = (tensor: unknown) => (tensor as FloatTensor).values;
const tensor = (shape: number[], ...numbers: number[]): FloatTensor => ({
  kind: 'float32',
  shape,
  values: Float32Array.from(numbers),
});

/** A float model of one unit and one input, all of it given by hand; the head hands h through. */
function tinyModel(
  cell: 'feedforward' | 'rnn' | 'lstm' | 'gru',
  W: number[],
  U: number[],
  b: number[],
): Model {
  const one = floatModel(shapeOf({ cell, hidden: 1, features: 1, lags: [1], averages: [], steps: 1 }));
  const rows = W.length;
  const layer: Layer = {
    inputWeights: tensor([rows, 1], ...W),
    ...(cell !== 'feedforward' && { recurrentWeights: tensor([rows, 1], ...U) }),
    bias: tensor([1, rows], ...b),
    ...(cell === 'gru' && { recurrentBias: tensor([1], 0.5) }),
    inputLimit: 0,
    hiddenLimit: 0,
  };
  const head = { weights: tensor([1, 1], 1), bias: tensor([1], 0), skip: tensor([1, 1], 0) };
  return { ...one, layers: [layer], head };
}

const [on, off] = [100, -100];

describe.each(kernels)('%s kernel, by hand', (_, create) => {
  const run = (model: Model, inputs: readonly number[]) => {
    const kernel = openKernel(create, model);
    return inputs.map((input) => {
      const [h] = stepOne(kernel, [input]);
      expect(h).toBe(stateOf(kernel).length === 0 ? h : stateOf(kernel)[0]);
      return [...stateOf(kernel)];
    });
  };

  test('an LSTM with all gates open counts in its cell', () => {
    const states = run(tinyModel('lstm', [0, 0, 0, 0], [0, 0, 0, 0], [on, on, on, on]), [5, 5, 5]);
    expect(states).toEqual([1, 2, 3].map((c) => [tanh(c), c]));
  });

  test('the rows of an LSTM are input, forget, cell and output gate', () => {
    const W = [0, 0, 1, 0];
    const zero = [0, 0, 0, 0];
    // the input gate is closed: nothing gets in
    expect(run(tinyModel('lstm', W, zero, [off, on, 0, on]), [0.5])).toEqual([[0, 0]]);
    // the forget gate is closed: the last input alone
    expect(run(tinyModel('lstm', W, zero, [on, off, 0, on]), [9, 0.5])[1]).toEqual([
      tanh(tanh(0.5)),
      tanh(0.5),
    ]);
    // the output gate is closed: the cell keeps what h does not show
    expect(run(tinyModel('lstm', W, zero, [on, on, 0, off]), [0.5])).toEqual([[0, tanh(0.5)]]);
  });

  test('an LSTM sees its own h through U', () => {
    const [first, second] = run(tinyModel('lstm', [0, 0, 1, 0], [0, 0, 1, 0], [on, off, 0, on]), [0.5, 0.25]);
    const g = tanh(Math.fround(0.25 + first[0]));
    expect(second).toEqual([tanh(g), g]);
  });

  test('a plain cell is tanh of input, own h and bias', () => {
    const [first, second] = run(tinyModel('rnn', [2], [0.5], [0.25]), [0.125, -1]);
    expect(first).toEqual([tanh(0.5)]);
    expect(second).toEqual([tanh(Math.fround(-1.75 + Math.fround(0.5 * first[0])))]);
  });

  test('a feedforward layer is tanh of its input, and remembers nothing', () => {
    const kernel = openKernel(create, tinyModel('feedforward', [2], [], [0.25]));
    expect(kernel.stateSize).toBe(0);
    expect([stepOne(kernel, [0.125])[0], stepOne(kernel, [0.125])[0]]).toEqual([tanh(0.5), tanh(0.5)]);
  });

  test('the rows of a GRU are reset, update and new gate', () => {
    const W = [0, 0, 1];
    // z = 0: h is the new gate; r = 0: no look at U h + b_n
    expect(run(tinyModel('gru', W, [0, 0, 1], [off, off, 0]), [0.5, 0.75])).toEqual([
      [tanh(0.5)],
      [tanh(0.75)],
    ]);
    // r = 1: b_n = 0.5 and U h come in
    const [first, second] = run(tinyModel('gru', W, [0, 0, 1], [on, off, 0]), [0.5, 0.25]);
    expect(first).toEqual([tanh(1)]);
    expect(second).toEqual([tanh(Math.fround(0.25 + Math.fround(first[0] + 0.5)))]);
    // z = 1: nothing ever changes
    expect(run(tinyModel('gru', W, [0, 0, 1], [on, on, 0]), [5, 5])).toEqual([[0], [0]]);
  });

  test('the answer is d + V h + S f, without and with the highway r + R v', () => {
    const tiny = tinyModel('rnn', [0], [0], [on]);
    const head = { weights: tensor([1, 1], 3), bias: tensor([1], 0.5), skip: tensor([1, 1], -2) };
    expect(stepOne(openKernel(create, { ...tiny, head }), [4])[0]).toBe(0.5 + 3 - 8);
    const highway = {
      ...{ allFeatures: false, window: 3 },
      ...{ weights: tensor([1, 1, 2], 10, 100), bias: tensor([1, 1], 1000) },
    };
    const withHighway = openKernel(create, { ...tiny, head, highway });
    expect(withHighway.inputSize).toBe(3);
    expect(stepOne(withHighway, [4, 1, 2])[0]).toBe(0.5 + 3 - 8 + 1000 + 10 + 200);
  });

  test('a highway of own values gives each target its own window', () => {
    const model = createModel({ cell: 'none', features: 2, targets: [1, 0], steps: 2, highwayWindow: 3 });
    const weights = tensor([1, 4, 2], 1, 0, 0, 1, 1, 0, 0, 1);
    const highway = { allFeatures: false, window: 3, weights, bias: tensor([1, 4], 0, 0, 0, 100) };
    const kernel = openKernel(create, { ...model, highway });
    const blank = new Array(kernel.inputSize - 4).fill(9);
    expect([...stepOne(kernel, [...blank, 1, 2, 3, 4])]).toEqual([1, 2, 3, 104]);
  });
});

/** One layer of a float model in the float64 of src/cell, with the tanh that the kernels use, unrounded. */
const exact = { tanh: createTanh((x) => x) };

function stepReference(
  model: Model,
  layer: Layer,
  state: readonly number[],
  x: ArrayLike<number>,
  channel: number,
) {
  const { cell, hidden } = model.architecture;
  const rows = layer.bias.shape[1];
  const bias = layer.bias.values.subarray(channel * rows, (channel + 1) * rows);
  const inputWeights = values(layer.inputWeights);
  if (cell === 'feedforward') return [...add(multiply(inputWeights, x), bias).map(exact.tanh)];
  const weights = { inputWeights, recurrentWeights: values(layer.recurrentWeights), bias };
  const before = { hiddenState: state.slice(0, hidden), cellState: state.slice(hidden) };
  if (cell === 'rnn') return [...(stepRnn(weights, before, x, exact).hiddenState as Float64Array)];
  if (cell === 'gru') {
    const recurrentBias = values(layer.recurrentBias);
    return [...(stepGru({ ...weights, recurrentBias }, before, x, exact).hiddenState as Float64Array)];
  }
  const { hiddenState, cellState } = stepLstm(weights, before, x, exact);
  return [...(hiddenState as Float64Array), ...(cellState as Float64Array)];
}

describe.each(kernels)('%s kernel against the equations in float64', (_, create) => {
  test.each([
    ['lstm', 1, 0],
    ['lstm', 4, 0],
    ['lstm', 2, 2],
    ['gru', 1, 0],
    ['gru', 3, 1],
    ['rnn', 1, 1],
    ['rnn', 4, 0],
    ['feedforward', 1, 0],
    ['feedforward', 3, 2],
  ] as const)('runs %s of %i layers in channel %i within 1e-6 over 100 steps', (cell, layers, channel) => {
    const model = createModel({ cell, layers, hidden: 6, seed: 5, channels: ['LGA', 'JFK'] });
    const kernel = openKernel(create, model);
    let states: number[][] = model.layers.map(() => new Array(12).fill(0));
    let worst = 0;
    for (const input of randomInputs(100, kernel.inputSize, 3)) {
      const outputs = stepOne(kernel, input, { channel });
      let below: ArrayLike<number> = input;
      states = model.layers.map((layer, l) => {
        const state = stepReference(model, layer, states[l], below, l === 0 ? channel : 0);
        below = state.slice(0, 6);
        return state;
      });
      if (cell !== 'feedforward') {
        states.flat().forEach((value, i) => {
          worst = Math.max(worst, Math.abs(value - stateOf(kernel)[i]));
        });
      }
      const { weights, bias, skip } = model.head as NonNullable<Model['head']>;
      const answer = add(add(multiply(weights.values, below), bias.values), multiply(skip.values, input));
      answer.forEach((y, o) => {
        worst = Math.max(worst, Math.abs(y - outputs[o]) / Math.max(1, Math.abs(y)));
      });
    }
    expect(worst).toBeLessThan(1e-6);
    expect(worst).toBeGreaterThan(0);
  });
});

describe.each(kernels)('the memory of the %s kernel', (_, create) => {
  const model = createModel({ phases: 3, lags: [1, 2, 3], layers: 2, weights: 'int8', channels: ['LGA'] });

  test('holds the states of a slot, then the floats of the caller', () => {
    const kernel = openKernel(create, model, { slots: 2 });
    expect(kernel.stateSize).toBe(3 * 2 * 10);
    expect(kernel.stride).toBe(kernel.stateSize + EXTRA);
    expect(kernel.memory()).toHaveLength(2 * kernel.stride);
    expect(stateOf(kernel, 1).every((value) => value === 0)).toBe(true);
  });

  test('a step changes one phase of one slot and nothing else', () => {
    const kernel = openKernel(create, model, { slots: 3 });
    for (const [t, input] of randomInputs(30, kernel.inputSize).entries()) {
      const before = kernel.memory().slice();
      stepOne(kernel, input, { slot: 1, phase: t % 3, at: t % 4 });
      const from = kernel.stride + (t % 3) * 20;
      const changed = [...before.keys()].filter((i) => kernel.memory()[i] !== before[i]);
      expect(changed.length).toBeGreaterThan(10);
      expect(changed.filter((i) => i < from || i >= from + 20)).toEqual([]);
    }
    expect([...extraOf(kernel, 1)]).toEqual([777, 777, 777]);
  });

  test('grows with the states in it and new ones zero, and never shrinks', () => {
    const kernel = openKernel(create, model, { slots: 2 });
    stepOne(kernel, randomInputs(1, kernel.inputSize)[0], { slot: 1 });
    const before = kernel.memory().slice();
    kernel.reserve(5);
    expect(kernel.memory()).toHaveLength(5 * kernel.stride);
    expect(kernel.memory().subarray(0, before.length)).toEqual(before);
    expect(
      kernel
        .memory()
        .subarray(before.length)
        .every((value) => value === 0),
    ).toBe(true);
    kernel.reserve(1);
    expect(kernel.memory()).toHaveLength(5 * kernel.stride);
  });

  test('a batch gives the bits of its frames one by one, each with its slot, phase and channel', () => {
    const [batched, single] = [0, 1].map(() => openKernel(create, model, { slots: 4 }));
    for (let round = 0; round < 20; round++) {
      const inputs = randomInputs(4, batched.inputSize, 100 + round);
      const places = inputs.map((_input, i) => ({
        slot: (i + round) % 4,
        phase: (i * round) % 3,
        channel: i % 2,
      }));
      for (const [i, input] of inputs.entries()) place(batched, i, input, places[i]);
      batched.step(0, 4);
      inputs.forEach((input, i) => {
        expect(stepOne(single, input, { ...places[i], at: 3 - i })).toEqual(outputsOf(batched, i));
      });
      expect(batched.memory()).toEqual(single.memory());
    }
  });

  test('a step of a part of the batch leaves the rest alone', () => {
    const kernel = openKernel(create, model, { slots: 4 });
    for (const [i, input] of randomInputs(4, kernel.inputSize).entries())
      place(kernel, i, input, { slot: i });
    kernel.outputs.fill(-5);
    kernel.step(1, 3);
    const untouched = (slot: number) => stateOf(kernel, slot).every((value) => value === 0);
    expect([0, 1, 2, 3].map(untouched)).toEqual([true, false, false, true]);
    expect([0, 1, 2, 3].map((at) => outputsOf(kernel, at)[0] === -5)).toEqual([true, false, false, true]);
  });
});
