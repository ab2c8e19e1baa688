import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cellstream } from '#proto/model.js';
import { loadModel } from '../../src/engine/engine.ts';
import type { Forecast } from '../../src/engine/forecast.ts';
import { readModelFile, writeModelFile } from '../../src/model/format.ts';
import { ModelFormatError } from '../../src/model/format-error.ts';
import { cellKinds, createModel } from '../fixtures/random-model.ts';
import { bits, steadyFrames } from './streams.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('loadModel', () => {
  const model = createModel({ weights: 'int8', channels: ['LGA'] });
  const file = writeModelFile(model);

  test.each([
    ...cellKinds.map((cell) => createModel({ cell })),
    createModel({ weights: 'int8', layers: 2 }),
    createModel({ weights: 'wide', phases: 3, lags: [1, 2, 3] }),
    createModel({ segment: 4 }),
    createModel({ weights: 'int8', lags: [], averages: [], plain: true, plainOutput: true }),
  ])('proves and loads model %#', async (one) => {
    const engine = await loadModel(writeModelFile(one));
    expect(engine.model.golden).toEqual(one.golden);
  });

  test('gives the SHA-256 of the model bytes as the id', async () => {
    const { id } = await loadModel(file);
    expect(id).toBe(sha256(readModelFile(file).modelBytes));
    // the envelope: tag, length in two bytes or more, then the model
    const start = file.findIndex((byte, i) => i > 0 && byte < 128) + 1;
    expect(id).toBe(sha256(file.subarray(start)));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  test('gives the same id to a signed file, and another to another model', async () => {
    const { modelBytes } = readModelFile(file);
    const signature = { keyId: Uint8Array.of(1, 2), signature: new Uint8Array(64) };
    const signed = cellstream.Envelope.encode({ model: modelBytes, signatures: [signature] }).finish();
    const { id } = await loadModel(file);
    expect((await loadModel(signed)).id).toBe(id);
    expect((await loadModel(writeModelFile({ ...model, release: 8 }))).id).not.toBe(id);
  });

  test('reads a file that lies anywhere in a buffer, and needs it no more afterwards', async () => {
    const buffer = Buffer.alloc(file.length + 7, 0xff);
    buffer.set(file, 3);
    const engine = await loadModel(buffer.subarray(3, 3 + file.length));
    const frames = steadyFrames(1, model, 5);
    const expected = (await loadModel(file)).openSession('LGA');
    buffer.fill(0);
    const session = engine.openSession('LGA');
    for (const frame of frames) {
      expect(bits((session.step(frame) as Forecast).values)).toBe(
        bits((expected.step(frame) as Forecast).values),
      );
    }
  });

  test('refuses a model that this machine does not compute as the file says', async () => {
    const outputs = model.golden.outputs.map((value) => value + 1);
    const wrong = writeModelFile({ ...model, golden: { ...model.golden, outputs } });
    await expect(loadModel(wrong)).rejects.toThrow(ModelFormatError);
    await expect(loadModel(wrong)).rejects.toThrow(/^self-test: output 0 of frame 0 is .*, the file says /);
  });

  test('refuses what is no model', async () => {
    await expect(loadModel(new Uint8Array(0))).rejects.toThrow(ModelFormatError);
    await expect(loadModel(Buffer.from('time,temp\n2013,39\n'))).rejects.toThrow(ModelFormatError);
  });
});

test('an engine opens sessions and arenas that share nothing but the model', async () => {
  const engine = await loadModel(writeModelFile(createModel()));
  const [frame] = steadyFrames(1, engine.model, 1);
  const [used, fresh] = [engine.openSession(), engine.openSession()];
  used.step(frame);
  expect(fresh.state().every((value) => value === 0)).toBe(true);
  const [arena, other] = [engine.createArena(), engine.createArena()];
  expect(arena.normalize(arena.open('a'), frame.timeMs, frame.values)).toBe('ready');
  arena.predict();
  expect([other.size, other.batchLimit]).toEqual([0, 256]);
  expect(bits((arena.denormalize(0) as Forecast).values)).toBe(
    bits((engine.openSession('a').step(frame) as Forecast).values),
  );
});
