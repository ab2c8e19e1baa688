import { describe, expect, test } from 'vitest';
import { cellstream } from '#proto/model.js';
import { readModelFile, writeModelFile } from '../../src/model/format.ts';
import { createModel } from '../fixtures/random-model.ts';
import { concat, field, floats, refusal, seal } from './edits.ts';

const file = writeModelFile(createModel({ weights: 'int8', layers: 2, channels: ['LGA'], highway: 'own' }));
const { modelBytes } = readModelFile(file);

const signature = { keyId: Uint8Array.of(1), signature: new Uint8Array(64) };
const signed = (change: Partial<typeof signature>) =>
  cellstream.Envelope.encode({ model: modelBytes, signatures: [{ ...signature, ...change }] }).finish();
const signatureAlone = field(2, concat(field(1, floats(1)), field(2, new Uint8Array(64))));

test.each<[string, Uint8Array, string | RegExp]>([
  ['an empty file', new Uint8Array(0), 'an empty file, expected a cellstream model'],
  ['a text file', Buffer.from('time_hour,temp\n2013-01-01,39\n'), /^not a cellstream model: /],
  ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /^not a cellstream model: /],
  ['a file of zeros', new Uint8Array(5000), /^not a cellstream model: .*tag 0, expected one model/],
  ['a file of 0xff', new Uint8Array(5000).fill(0xff), /^not a cellstream model: /],
  ['a model without its envelope', modelBytes, /^not a cellstream model: .*tag 8, expected one model/],
  ['two models', concat(file, file), /envelope tag 10, expected one model/],
  [
    'an unknown field in the envelope',
    concat(file, field(3, floats(1))),
    /tag 26, expected one model \(10\)/,
  ],
  ['something after the envelope', concat(file, Uint8Array.of(0)), /envelope tag 0, expected/],
  ['a cut file', file.subarray(0, 500), /^not a cellstream model: the envelope cannot be decoded/],
  ['a cut model', seal(modelBytes.subarray(0, 500)), /^not a cellstream model: the model cannot be decoded/],
  ['an empty model', Uint8Array.of(10, 0), 'format version 0, expected 1'],
  ['signatures of nothing', signatureAlone, 'an envelope without a model, expected one'],
  ['a short signature', signed({ signature: new Uint8Array(63) }), 'a signature of 63 bytes, expected 64'],
  [
    'nobody that signed',
    signed({ keyId: new Uint8Array(0) }),
    'a signature of 64 bytes, expected 64 with a key id',
  ],
  ['a broken signature', concat(file, field(2, Uint8Array.of(10, 200))), /the envelope cannot be decoded/],
  ['groups nested without end', seal(new Uint8Array(100_000).fill(0x0b)), /the model cannot be decoded/],
  ['more than 64 MB', new Uint8Array(64 * 1024 * 1024 + 1), '67108865 bytes, expected at most 67108864'],
])('%s is refused', (_name, bytes, message) => {
  expect(refusal(bytes)).toMatch(message);
});

test('a file cut anywhere is refused', () => {
  for (let length = 1; length < file.length; length += 13) {
    expect(refusal(file.subarray(0, length))).toMatch(
      /^not a cellstream model: the envelope cannot be decoded/,
    );
  }
});

test("the decoder's own error is kept as the cause", () => {
  expect.assertions(1);
  try {
    readModelFile(file.subarray(0, 500));
  } catch (error) {
    expect((error as Error).cause).toBeInstanceOf(RangeError);
  }
});

describe('a file that would take far more memory than its size', () => {
  const version = Uint8Array.of(8, 1);
  const repeat = (...bytes: number[]) => new Uint8Array(Buffer.alloc(4e6, Uint8Array.from(bytes)));

  test.each<[string, Uint8Array]>([
    ['features without a name', field(8, repeat(0x22, 0))],
    ['channels without a name', field(8, repeat(0x42, 0))],
    ['lags', field(8, field(5, repeat(1)))],
    ['lags one by one', field(8, repeat(0x28, 1))],
    ['averages', field(8, field(6, repeat(0)))],
    ['empty layers', repeat(0x52, 0)],
    ['sizes of a shape', field(10, field(1, field(1, repeat(1))))],
  ])('with millions of %s is refused before it does', (_name, body) => {
    const bytes = seal(concat(version, body));
    const before = process.memoryUsage().heapUsed;
    expect(refusal(bytes)).toBe("more than 131072 fields and numbers, expected a model's few");
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32e6);
  });

  test('with too many signatures is refused', () => {
    const signatures = new Array(65).fill(signature);
    const bytes = cellstream.Envelope.encode({ model: modelBytes, signatures }).finish();
    expect(refusal(bytes)).toBe('65 signatures, expected at most 64');
  });
});
