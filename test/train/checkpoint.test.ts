import { describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../../src/train/checkpoint.ts';

const report = { epochs: 5, timesteps: 100 };

const checkpoint: Checkpoint = {
  // no float32 among them is a short decimal
  parameters: Float32Array.of(1 / 3, -2e-38, 3e38),
  best: Float32Array.of(0.1, -0, 1e-45),
  m: Float32Array.of(1e-9, 0, -1e-9),
  v: Float32Array.of(1e-18, 0, 1e-20),
  update: 77,
  power1: 0.9 ** 7,
  power2: 0.999 ** 7,
  bestEpoch: 1,
  history: [
    { ...report, epoch: 0, loss: Number.NaN, validation: 1 / 3 },
    { ...report, epoch: 1, loss: 0.1, validation: 0.3 },
  ],
};

const text = encodeCheckpoint(checkpoint, 'recipe');

test('a checkpoint comes back bit for bit, NaN of its history included', () => {
  expect(decodeCheckpoint(text, 'recipe', 3)).toEqual(checkpoint);
});

test('a checkpoint holds views of larger arrays', () => {
  const all = Float32Array.of(9, 1 / 3, -2e-38, 3e38, 9);
  expect(encodeCheckpoint({ ...checkpoint, parameters: all.subarray(1, 4) }, 'recipe')).toBe(text);
});

describe('a checkpoint is refused', () => {
  const decode =
    (changed: string, identity = 'recipe', parameters = 3) =>
    () =>
      decodeCheckpoint(changed, identity, parameters);
  const without = (name: string) => JSON.stringify({ ...JSON.parse(text), [name]: undefined });

  test('when it is of another recipe or other data', () => {
    expect(decode(text, 'other')).toThrow(CheckpointError);
    expect(decode(text, 'other')).toThrow('of another recipe or other data; train without --resume');
  });

  test.each(['', 'x', 'null', '7', '[]', '{}', text.slice(0, 100), text.slice(0, -1)])(
    'when it is damaged: %#',
    (damaged) => {
      expect(decode(damaged)).toThrow(CheckpointError);
    },
  );

  test('when it has more or fewer parameters, saying how many', () => {
    expect(decode(text, 'recipe', 4)).toThrow('3 parameters in the checkpoint, expected 4');
    expect(decode(text, 'recipe', 2)).toThrow('3 parameters in the checkpoint, expected 2');
  });

  test.each(['parameters', 'best', 'm', 'v'])('when it has no %s', (name) => {
    expect(decode(without(name))).toThrow(CheckpointError);
  });

  test.each(['update', 'power1', 'power2', 'bestEpoch', 'history'])(
    'as damaged when it has no %s',
    (name) => {
      expect(decode(without(name))).toThrow(
        new CheckpointError('the checkpoint is damaged; train without --resume'),
      );
    },
  );

  test('as damaged when its best epoch is not in its history', () => {
    expect(decode(encodeCheckpoint({ ...checkpoint, bestEpoch: 2 }, 'recipe'))).toThrow('damaged');
  });
});
