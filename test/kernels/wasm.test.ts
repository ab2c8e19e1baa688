import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStepKernel } from '../../src/kernels/choose.ts';
import type { CreateKernel, StepKernel } from '../../src/kernels/kernel.ts';
import { createScalarKernel } from '../../src/kernels/scalar.ts';
import { hasSimd } from '../../src/kernels/wasm.ts';
import type { Model, QuantizedTensor } from '../../src/model/model.ts';
import { createDice, createRandomModel, type ModelShape } from '../fixtures/random-model.ts';
import { EXTRA, extraOf, kernels, openKernel, place } from './kernels.ts';

const SLOTS = 7;
const BATCH = 5;
const STEPS = 6;

/** Numbers that a sensor gone mad may bring: huge, tiny, exact halves, nothing. */
const extremes = [0, -0, 1e-31, -1e-30, 1e-20, 0.5, -0.5, 127, -4095, 1e6, -1e18, 3e30];

const bits = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];

/** Everything that a kernel holds after some batches of other streams, phases and channels each. */
function run(create: CreateKernel, model: Model, seed: number): number[][] {
  const kernel = openKernel(create, model, { slots: SLOTS, batchLimit: BATCH });
  const dice = createDice(seed);
  const number = () => (dice.chance(0.1) ? dice.pick(extremes) : 2 * dice.next() - 1);
  const seen: number[][] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = slot * kernel.stride;
    // states from elsewhere: a cell may have counted up far
    if (slot % 2 === 1)
      for (let i = 0; i < kernel.stateSize; i++)
        kernel.memory()[at + i] = dice.chance(0.02) ? number() * 50 : number();
  }
  for (let t = 0; t < STEPS; t++) {
    const from = dice.int(0, BATCH);
    const to = dice.int(from, BATCH);
    const first = dice.int(0, SLOTS - 1);
    for (let b = 0; b < BATCH; b++) {
      const phase = dice.int(0, model.architecture.phases - 1);
      const channel = dice.int(0, model.input.channels.length);
      const input = Float32Array.from({ length: kernel.inputSize }, number);
      place(kernel, b, dice.chance(0.1) ? input.fill(0) : input, {
        slot: (first + b) % SLOTS,
        phase,
        channel,
      });
    }
    kernel.outputs.fill(7);
    kernel.step(from, to);
    seen.push(bits(kernel.outputs));
  }
  return [...seen, bits(kernel.memory())];
}

/** The model with every integer at an end of its range. */
function saturated(model: Model, seed: number): Model {
  const dice = createDice(seed);
  const ends = (tensor: QuantizedTensor, limit: number): QuantizedTensor => {
    const columns = tensor.shape[1];
    const most = tensor.lowPlane ? Math.min(4079, Math.floor((2 ** 31 - 1) / limit / columns)) : 127;
    const integers = Int16Array.from(tensor.plane, () => (dice.chance(0.5) ? most : -most));
    if (tensor.lowPlane === undefined) return { ...tensor, plane: Int8Array.from(integers) };
    const plane = Int8Array.from(integers, (w) => Math.floor((w + 16) / 32));
    return { ...tensor, plane, lowPlane: Int8Array.from(integers, (w, i) => w - 32 * plane[i]) };
  };
  return {
    ...model,
    layers: model.layers.map((layer) => ({
      ...layer,
      inputWeights: ends(layer.inputWeights as QuantizedTensor, layer.inputLimit),
      recurrentWeights: ends(layer.recurrentWeights as QuantizedTensor, layer.hiddenLimit),
    })),
  };
}

const fast = kernels.filter(([, create]) => create !== createScalarKernel);

const shapes = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  hidden: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(47, 48, 63, 64, 65, 96, 128)),
  weights: fc.constantFrom('int8' as const, 'wide' as const, 'mixed' as const),
});

function modelOf({ seed, ...wanted }: { seed: number } & Partial<ModelShape>): Model {
  return createRandomModel(seed, { cell: 'lstm', ...wanted });
}

describe.each(fast)('%s kernel', (_, create) => {
  test('leaves the bits of the scalar one in every output and state, whatever the shape and the numbers', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const model = modelOf(shape);
        expect(run(create, model, shape.seed)).toEqual(run(createScalarKernel, model, shape.seed));
      }),
      { seed: 5, numRuns: 150 },
    );
  });

  test('sums integers at the ends of their ranges exactly', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const model = saturated(modelOf(shape), shape.seed);
        expect(run(create, model, shape.seed)).toEqual(run(createScalarKernel, model, shape.seed));
      }),
      { seed: 6, numRuns: 60 },
    );
  });

  test.each([255, 512, 1024])('steps %i units', (hidden) => {
    const wanted = { hidden, layers: 1, phases: 1, lags: [1, 3], segment: 0 };
    for (const weights of ['int8', ...(hidden <= 512 ? (['wide'] as const) : [])] as const) {
      const model = saturated(modelOf({ seed: hidden, ...wanted, weights }), hidden);
      expect(run(create, model, hidden)).toEqual(run(createScalarKernel, model, hidden));
    }
  });

  test.each([1, 3, 4, 12, 13, 16, 17, 30, 100])(
    'answers %i steps ahead, with a highway and without',
    (steps) => {
      for (const highway of ['no', 'own', 'all'] as const) {
        const model = modelOf({ seed: steps, steps, highway, weights: 'int8', targets: [0, 1], features: 2 });
        expect(run(create, model, steps)).toEqual(run(createScalarKernel, model, steps));
      }
    },
  );

  test("keeps states and the caller's floats when room for more streams is made", () => {
    const model = modelOf({ seed: 3, hidden: 9, weights: 'int8' });
    const kernel = openKernel(create, model, { slots: 2 });
    place(kernel, 0, new Float32Array(kernel.inputSize).fill(0.3), { slot: 1 });
    kernel.step(0, 1);
    const before = bits(kernel.memory());
    kernel.reserve(5000);
    expect(bits(kernel.memory()).slice(0, before.length)).toEqual(before);
    expect(kernel.memory().length).toBe(5000 * kernel.stride);
    expect(
      kernel
        .memory()
        .subarray(2 * kernel.stride)
        .every((value) => value === 0),
    ).toBe(true);
    expect([...extraOf(kernel, 1)]).toEqual(new Array(EXTRA).fill(777));
    place(kernel, 0, new Float32Array(kernel.inputSize), { slot: 4999 });
    kernel.step(0, 1);
    const last: StepKernel['memory'] = () => kernel.memory().subarray(4999 * kernel.stride);
    expect(last().some((value) => value !== 0)).toBe(true);
  });
});

test('a machine with SIMD steps an int8 LSTM in SIMD', () => {
  expect(hasSimd()).toBe(['x64', 'arm64'].includes(process.arch));
  const kernel = createStepKernel(modelOf({ seed: 1, weights: 'int8' }), { extra: 0, batchLimit: 1 });
  // only WebAssembly's memory is exactly what a grown one can be
  expect(kernel.memory().buffer.byteLength % 65536).toBe(0);
  expect(kernel.memory().buffer.byteLength).toBeGreaterThan(0);
});
