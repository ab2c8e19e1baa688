import { describe, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import { readNetwork } from '../../src/import/read-network.ts';
import { ModelFormatError } from '../../src/model/format-error.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';
import { importFixture, readWeights } from './imported.ts';

const file = 'lstm-1.safetensors'; // 2 features, 3 outputs
const unscaled = {
  features: '[{ name: a, mean: 0, scale: 1 }, { name: b, mean: 0, scale: 1 }]',
  target: 'a',
};

/** The answers of a model to frames, one after the other. */
function answersOf(
  model: ReturnType<typeof importFixture>,
  frames: readonly (readonly number[])[],
): number[][] {
  const run = createStreamRun(model, '');
  return frames.map((frame, t) => [...(run.step(t, frame) ?? [])]);
}

const frames = Array.from({ length: 40 }, (_, t) => [Math.sin(t / 3), (t % 7) / 7 - 0.5].map(Math.fround));
const close = (found: readonly number[][], expected: readonly number[][]) => {
  for (const [i, value] of found.flat().entries()) expect(value).toBeCloseTo(expected.flat()[i], 5);
};

describe('an imported model', () => {
  test('takes values and answers with values, one state a stream', () => {
    const model = importFixture(file, {
      ...unscaled,
      season: '24',
      gapLimit: '3',
      horizons: '[1, 3]',
      version: '2.0.1',
    });
    expect(model).toMatchObject({
      ...{ name: 'imported', version: '2.0.1', fit: true },
      architecture: { cell: 'lstm', layers: 1, hidden: 16, phases: 1, segment: 0 },
      input: {
        plain: true,
        lags: [],
        averages: [],
        mask: false,
        season: 24,
        gapLimit: 3,
        periodMs: 3_600_000,
      },
      output: { plain: true, targets: [0], steps: 3, horizons: [1, 3] },
    });
    expect(model.head?.skip.values.every((weight) => weight === 0)).toBe(true);
  });

  test('may take differences to the frame before: z[t] - z[t-1]', () => {
    const plain = importFixture(file, unscaled);
    const differences = importFixture(file, { ...unscaled, inputs: 'differences' });
    expect(differences.input).toMatchObject({ lags: [1] });
    expect(differences.input.plain).toBeUndefined();
    const changes = frames.map((frame, t) =>
      frame.map((value, k) => (t === 0 ? 0 : value - frames[t - 1][k])),
    );
    close(answersOf(differences, frames), answersOf(plain, changes));
  });

  test('may answer with increments on the newest value', () => {
    const [plain, increments] = [{}, { outputs: 'increments' }].map((changes) =>
      answersOf(importFixture(file, { ...unscaled, target: 'b', ...changes }), frames),
    );
    close(
      increments,
      plain.map((answers, t) => answers.map((answer) => answer + frames[t][1])),
    );
  });

  test('has the rows of its head target by target, however the network had them', () => {
    const network = {
      ...readNetwork(readWeights('lstm-modules.safetensors'), { recurrent: ['lstm1', 'lstm2'] }),
    }; // 4 outputs
    const model = importFixture('lstm-modules.safetensors', {
      ...unscaled,
      ...{
        target: '[a, b]',
        horizons: '[1, 2]',
        order: 'step-target',
        weights: '{ recurrent: [lstm1, lstm2] }',
      },
    });
    // [a1, b1, a2, b2] becomes [a1, a2, b1, b2]
    expect([...(model.head?.bias.values ?? [])]).toEqual([0, 2, 1, 3].map((row) => network.head.bias[row]));
    expect(model.head?.weights.values.subarray(12, 19)).toEqual(network.head.weights.subarray(14, 21));
  });

  test('keeps units without weights at exactly 0 where a layer is narrower than the widest', () => {
    const model = importFixture('lstm-modules.safetensors', {
      ...unscaled,
      weights: '{ recurrent: [lstm1, lstm2] }',
      horizons: '[4]',
    });
    const run = createStreamRun(model, '');
    frames.forEach((frame, t) => {
      run.step(t, frame);
    });
    const top = run.hidden.subarray(run.hidden.length / 2);
    expect([...top.subarray(7)]).toEqual([0, 0, 0, 0, 0]);
    expect(top.subarray(0, 7).every((value) => value !== 0)).toBe(true);
  });

  test('with a segment answers every so many frames from a zero state', () => {
    const model = importFixture(file, { ...unscaled, segment: '4' });
    expect(answersOf(model, frames).map((answers) => answers.length)).toEqual(
      frames.map((_, t) => (t % 4 === 3 ? 3 : 0)),
    );
  });
});

describe('a network that does not fit its spec is refused', () => {
  test.each([
    [
      'another number of features',
      { features: '[{ name: f0, mean: 0, scale: 1 }]' },
      'the network takes 2 inputs a frame, expected 1: 1 feature of the spec (f0)',
    ],
    [
      'another number of lags',
      { ...unscaled, inputs: 'differences', lags: '[1, 24]' },
      'expected 4: 2 features x 2 lags',
    ],
    [
      'a horizon beyond the outputs',
      { horizons: '[1, 24]' },
      'the head has 3 outputs, the steps 1..3 of f0, expected all steps up to 24',
    ],
    [
      'targets that share no steps',
      { ...unscaled, target: '[a, b]', horizons: '[1]' },
      'the head has 3 outputs, expected a multiple of the 2 targets',
    ],
  ])('%s', (_, changes, expected) => {
    expect(() => importFixture(file, changes)).toThrow(ImportError);
    expect(() => importFixture(file, changes)).toThrow(expected);
  });

  test('more than a model file can hold', () => {
    expect(() => importFixture(file, { ...unscaled, period: '9999d' })).toThrow(ModelFormatError);
  });
});
