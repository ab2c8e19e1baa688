import { describe, expect, test } from 'vitest';
import { proveGolden } from '../../src/engine/self-test.ts';
import type { FloatTensor, Layer, Model, QuantizedTensor, Tensor } from '../../src/model/model.ts';
import { createModel, type ModelShape } from '../fixtures/random-model.ts';

/** The float with its sign and the top of its fraction turned over. */
function flip(values: Float32Array, at: number): Float32Array {
  const changed = values.slice();
  new Uint32Array(changed.buffer)[at] ^= 0x80400000;
  return changed;
}

function flipWeight<T extends Tensor>(tensor: T, at: number): T {
  if (tensor.kind === 'float32') return { ...tensor, values: flip(tensor.values, at) };
  const plane = (tensor as QuantizedTensor).plane.slice();
  plane[at] = plane[at] === 1 ? -1 : 1;
  return { ...tensor, plane };
}

const replace = <T>(items: readonly T[], at: number, item: T) =>
  items.map((one, i) => (i === at ? item : one));

/** Every model that has one weight flipped, by what was flipped. */
function* flippedWeights(model: Model): Generator<[string, Model]> {
  const parts = ['inputWeights', 'recurrentWeights', 'bias', 'recurrentBias'] as const;
  for (const [index, layer] of model.layers.entries()) {
    for (const part of parts) {
      const tensor = layer[part];
      if (tensor === undefined) continue;
      const size = part === 'bias' ? tensor.shape[1] : tensor.shape.reduce((a, b) => a * b);
      for (let at = 0; at < size; at++) {
        const changed = { ...layer, [part]: flipWeight(tensor, at) } as Layer;
        yield [
          `${part} ${at} of layer ${index}`,
          { ...model, layers: replace(model.layers, index, changed) },
        ];
      }
    }
  }
  for (const part of ['head', 'highway'] as const) {
    for (const [name, tensor] of Object.entries(model[part] ?? {})) {
      if (typeof tensor !== 'object') continue;
      const { values } = tensor as FloatTensor;
      for (let at = 0; at < values.length; at++) {
        yield [
          `${name} ${at} of the ${part}`,
          { ...model, [part]: { ...model[part], [name]: flipWeight(tensor, at) } },
        ];
      }
    }
  }
}

const shapes: readonly (readonly [string, Partial<ModelShape>])[] = [
  ['an int8 LSTM', { weights: 'int8', layers: 2, hidden: 4 }],
  ['a wide polyphase LSTM', { weights: 'wide', phases: 2, lags: [1, 2], hidden: 3, mask: true }],
  ['an LSTM with a highway', { hidden: 3, highway: 'all' }],
  ['an LSTM on plain values', { weights: 'int8', hidden: 3, plain: true, plainOutput: true }],
  ['a GRU', { cell: 'gru', layers: 2, hidden: 3 }],
  ['a window', { cell: 'feedforward' }],
  ['a plain cell', { cell: 'rnn', layers: 2 }],
  ['a highway alone', { cell: 'none' }],
];

describe.each(shapes)('the self-test of %s', (_name, shape) => {
  const model = createModel(shape);

  test('passes as the model was written', () => {
    expect(proveGolden(model)).toBeUndefined();
  });

  test('notices any one weight', () => {
    const unnoticed: string[] = [];
    let tried = 0;
    for (const [what, flipped] of flippedWeights(model)) {
      tried++;
      if (proveGolden(flipped) === undefined) unnoticed.push(what);
    }
    expect(unnoticed).toEqual([]);
    expect(tried).toBeGreaterThan(10);
  });

  test('notices any golden output, and says which frame', () => {
    const { golden } = model;
    const size = golden.outputs.length / golden.timesMs.length;
    for (let at = 0; at < golden.outputs.length; at += 7) {
      const outputs = flip(golden.outputs, at);
      expect(proveGolden({ ...model, golden: { ...golden, outputs } })).toBe(
        `output ${at % size} of frame ${Math.floor(at / size)} is ${golden.outputs[at]}, the file says ${outputs[at]}`,
      );
    }
  });

  test('notices any float of the last state', () => {
    const { golden } = model;
    for (let at = 0; at < golden.state.length; at++) {
      const state = flip(golden.state, at);
      expect(proveGolden({ ...model, golden: { ...golden, state } })).toBe(
        `state ${at} ends as ${golden.state[at]}, the file says ${state[at]}`,
      );
    }
  });

  test('notices a changed frame, scaler and lag', () => {
    const { golden, input } = model;
    const frames = golden.frames.slice();
    frames[40] += 1;
    const scalers = input.scalers.slice();
    scalers[1] *= 2;
    expect(proveGolden({ ...model, golden: { ...golden, frames } })).toBeDefined();
    expect(proveGolden({ ...model, input: { ...input, scalers } })).toBeDefined();
    const lags = input.lags.map((lag, i) => (i === input.lags.length - 1 ? lag + 1 : lag));
    if (model.head) expect(proveGolden({ ...model, input: { ...input, lags } })).toBeDefined();
  });
});

test('the self-test compares bits: the smallest change counts', () => {
  const model = createModel();
  const { golden } = model;
  const nudge = (values: Float32Array, at: number) => {
    const changed = values.slice();
    new Uint32Array(changed.buffer)[at] ^= 1;
    return changed;
  };
  const outputs = nudge(golden.outputs, 5);
  expect(proveGolden({ ...model, golden: { ...golden, outputs } })).toMatch(/^output 2 of frame 1 is /);
  const state = nudge(golden.state, 3);
  expect(proveGolden({ ...model, golden: { ...golden, state } })).toMatch(/^state 3 ends as /);
});
