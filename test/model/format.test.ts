import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellstream } from '#proto/model.js';
import { formatVersion, readModelFile, writeModelFile } from '../../src/model/format.ts';
import type { Model } from '../../src/model/model.ts';
import { cellKinds, createModel, createRandomModel } from '../fixtures/random-model.ts';

const readBack = (model: Model) => readModelFile(writeModelFile(model)).model;

/** A model of the given shape by name. */
const models: readonly (readonly [string, Model])[] = [
  ...cellKinds.map((cell) => [cell, createModel({ cell, layers: 2 })] as const),
  ['an int8 LSTM', createModel({ weights: 'int8', layers: 3 })],
  ['an LSTM with one wide layer', createModel({ weights: 'mixed', layers: 2 })],
  ['a wide polyphase LSTM', createModel({ weights: 'wide', phases: 3, lags: [1, 2, 3], mask: true })],
  ['a plain LSTM', createModel({ weights: 'int8', lags: [], averages: [], plain: true, plainOutput: true })],
  ['channels with a highway each', createModel({ channels: ['LGA', 'JFK'], highway: 'own', groups: 'each' })],
  [
    'quantiles and a highway of all',
    createModel({ quantiles: [0.1, 0.5, 0.9], swing: true, highway: 'all', targets: [1, 0] }),
  ],
  ['output last', createModel({ segment: 7 })],
  ['filled gaps and scales of their own', createModel({ fill: true, streams: ['JFK', 'LGA'] })],
];

describe.each(models)('the file of %s', (_name, model) => {
  test('gives every field back', () => {
    expect(readBack(model)).toEqual(model);
  });

  test('has the same bytes when what was read is written again', () => {
    const bytes = writeModelFile(model);
    expect(writeModelFile(readModelFile(bytes).model)).toEqual(bytes);
  });
});

describe('the format', () => {
  test('gives every field of any model back', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const model = createRandomModel(seed);
        const bytes = writeModelFile(model);
        expect(readModelFile(bytes).model).toEqual(model);
        expect(writeModelFile(readModelFile(bytes).model)).toEqual(bytes);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('has these bytes, and on every machine: format, kernels and quantization together', () => {
    const shape = { weights: 'int8', phases: 2, lags: [1, 2], channels: ['LGA'], highway: 'own' } as const;
    const hash = createHash('sha256').update(writeModelFile(createModel(shape)));
    expect(hash.digest('hex')).toBe('4317c5cbf21a0a2e5048eb1d43752df9cac578ec7fbdcaac963df6b8b937ad5c');
  });

  test('keeps levels that float32 cannot hold', () => {
    const quantiles = [0.025, 0.1, 0.3333, 0.5, 0.9, 0.975];
    const model = createModel({ quantiles, steps: 1 });
    const calibration = { levels: [0.025, 0.1, 0.9], residuals: Float32Array.of(-1, 0, 1) };
    expect(readBack({ ...model, calibration })).toEqual({ ...model, calibration });
  });

  test('keeps names in any script, an empty unit, and no levels', () => {
    const model = createModel();
    const named: Model = {
      ...model,
      name: 'погода-天気 🌡',
      input: { ...model.input, names: ['température', 'ο πίεση'], units: ['°C', ''] },
      calibration: { levels: [], residuals: new Float32Array(0) },
      training: { ...model.training, recipe: '# ünï\nname: x\n', metrics: '{}' },
    };
    expect(readBack(named)).toEqual(named);
  });

  test('keeps golden frames that are missing, and times before 1970', () => {
    const model = createModel();
    const timesMs = model.golden.timesMs.map((timeMs) => timeMs - 3e12);
    const changed = { ...model, createdMs: -1, golden: { ...model.golden, timesMs } };
    expect(readBack(changed).golden).toEqual(changed.golden);
    expect(readBack(changed).golden.frames.some(Number.isNaN)).toBe(true);
  });

  test('hands out copies: the file may be overwritten after it was read', () => {
    const model = createModel({ weights: 'int8' });
    const bytes = writeModelFile(model);
    const read = readModelFile(bytes).model;
    bytes.fill(0);
    expect(read).toEqual(model);
  });

  test('reads from anywhere in a buffer, aligned or not', () => {
    const model = createModel();
    const bytes = writeModelFile(model);
    for (let shift = 0; shift < 4; shift++) {
      const buffer = new Uint8Array(bytes.length + 8).fill(0xff);
      buffer.set(bytes, shift);
      expect(readModelFile(buffer.subarray(shift, shift + bytes.length)).model).toEqual(model);
      expect(readModelFile(Buffer.from(buffer.buffer, shift, bytes.length)).model).toEqual(model);
    }
  });
});

describe('the envelope', () => {
  const model = createModel();
  const { modelBytes } = readModelFile(writeModelFile(model));

  test('holds the model bytes as they are signed', () => {
    const message = cellstream.Model.decode(modelBytes);
    expect([message.formatVersion, message.name]).toEqual([formatVersion, 'random-1']);
    expect(writeModelFile(model).subarray(-modelBytes.length)).toEqual(modelBytes);
  });

  test('has no signature of its own, and hands out those that it finds', () => {
    expect(readModelFile(writeModelFile(model)).signatures).toEqual([]);
    const signatures = [1, 2].map((n) => ({
      keyId: Uint8Array.of(n),
      signature: new Uint8Array(64).fill(n),
    }));
    const signed = cellstream.Envelope.encode({ model: modelBytes, signatures }).finish();
    const read = readModelFile(signed);
    expect(read.signatures.map(({ keyId, signature }) => [[...keyId], [...signature]])).toEqual(
      signatures.map(({ keyId, signature }) => [[...keyId], [...signature]]),
    );
    expect([...read.modelBytes]).toEqual([...modelBytes]);
  });

  test('may hold a model with fields that a later version adds: they belong to its bytes', () => {
    const field = Uint8Array.of(0xfa, 0x01, 2, 7, 7);
    const later = new Uint8Array([...modelBytes, ...field]);
    const read = readModelFile(cellstream.Envelope.encode({ model: later }).finish());
    expect(read.model).toEqual(model);
    expect([...read.modelBytes]).toEqual([...later]);
  });
});
