import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/engine/session.ts';
import type { FloatTensor, Model, Tensor } from '../../src/model/model.ts';
import { createDice, createModel, createRandomModel, hourMs } from '../fixtures/random-model.ts';
import { bits, firstSlot } from './streams.ts';

const { NaN: gap, POSITIVE_INFINITY: infinity } = Number;
const strange = [
  gap,
  gap,
  infinity,
  -infinity,
  1e38,
  -1e38,
  3.5e38,
  1e300,
  2e7,
  -2e7,
  1e-45,
  0,
  -0,
  20,
  41,
  1e6,
];

/** The first number of any answer or state that is not finite. */
function firstStrangeNumber(model: Model, frames: Iterable<readonly number[]>): string | undefined {
  const session = createSession(model, 'JFK');
  let slot = firstSlot;
  for (const values of frames) {
    slot++;
    const result = session.step({ timeMs: slot * hourMs, values });
    const numbers = result.kind === 'forecast' ? result.values : new Float32Array(0);
    const at = numbers.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return `output ${at} is ${numbers[at]} after [${values}] in slot ${slot - firstSlot}`;
    if (!session.state().every(Number.isFinite)) return `state after [${values}] in slot ${slot - firstSlot}`;
  }
  return undefined;
}

function* strangeFrames(seed: number, features: number, count: number): Generator<number[]> {
  const dice = createDice(seed);
  for (let i = 0; i < count; i++) yield Array.from({ length: features }, () => dice.pick(strange));
}

describe('no forecast is NaN or infinite', () => {
  test('whatever the readings, for any model', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const model = createRandomModel(seed);
        expect(firstStrangeNumber(model, strangeFrames(seed, model.input.features, 60))).toBeUndefined();
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  test('with the heaviest weights and the widest scalers that a file may hold', () => {
    const heavy = (tensor: Tensor): FloatTensor => {
      const { values, ...rest } = tensor as FloatTensor;
      return { ...rest, values: values.map((value) => (value < 0 ? -1e6 : 1e6)) };
    };
    for (const cell of ['none', 'feedforward', 'rnn', 'lstm', 'gru'] as const) {
      const { layers, head, highway, ...model } = createModel({ cell, layers: 2, highway: 'all', hidden: 9 });
      const extreme: Model = {
        ...model,
        input: { ...model.input, scalers: Float32Array.of(-1e30, 1e20, 1e30, 1e20) },
        layers: layers.map((layer) => ({
          ...layer,
          inputWeights: heavy(layer.inputWeights),
          ...(layer.recurrentWeights && { recurrentWeights: heavy(layer.recurrentWeights) }),
          bias: heavy(layer.bias),
          ...(layer.recurrentBias && { recurrentBias: heavy(layer.recurrentBias) }),
        })),
        ...(head && {
          head: { weights: heavy(head.weights), bias: heavy(head.bias), skip: heavy(head.skip) },
        }),
        ...(highway && {
          highway: { ...highway, weights: heavy(highway.weights), bias: heavy(highway.bias) },
        }),
      };
      const dice = createDice(1);
      const readings = Array.from({ length: 60 }, () =>
        [-1e30, 1e30].map((mean) => mean + 1e26 * (dice.next() - 0.5)),
      );
      expect(firstStrangeNumber(extreme, readings)).toBeUndefined();
    }
  });

  test('from a stream that never reads anything', () => {
    for (const cell of ['none', 'lstm'] as const) {
      const model = createModel({ cell, mask: true });
      const nothing = Array.from({ length: 30 }, () => [gap, gap]);
      expect(firstStrangeNumber(model, nothing)).toBeUndefined();
    }
  });
});

describe('a missing value', () => {
  const model = createModel({ weights: 'int8', mask: false, gapLimit: 3 });
  const answers = (frames: readonly (readonly number[])[], of = model) => {
    const session = createSession(of, '');
    return frames.map((values, i) => {
      const result = session.step({ timeMs: (firstSlot + i) * hourMs, values });
      return result.kind === 'forecast' ? bits(result.values) : result.kind;
    });
  };

  test('before the first one counts as the training mean', () => {
    const [mean] = model.input.scalers;
    expect(
      answers([
        [gap, 41],
        [gap, 42],
      ]),
    ).toEqual(
      answers([
        [mean, 41],
        [mean, 42],
      ]),
    );
  });

  test('later counts as the one before it', () => {
    expect(
      answers([
        [20, 41],
        [25, gap],
        [gap, 44],
      ]),
    ).toEqual(
      answers([
        [20, 41],
        [25, 41],
        [25, 44],
      ]),
    );
  });

  test.each([gap, infinity, -infinity, 1e38, -1e38, 1e300, 2e9])(
    'is what a reading of %d is taken for',
    (reading) => {
      expect(
        answers([
          [20, 41],
          [reading, 42],
          [21, 43],
        ]),
      ).toEqual(
        answers([
          [20, 41],
          [gap, 42],
          [21, 43],
        ]),
      );
    },
  );

  test('is told apart from a held one by a mask', () => {
    const masked = createModel({ mask: true });
    expect(
      answers(
        [
          [20, 41],
          [gap, 41],
        ],
        masked,
      ),
    ).not.toEqual(
      answers(
        [
          [20, 41],
          [20, 41],
        ],
        masked,
      ),
    );
  });
});
