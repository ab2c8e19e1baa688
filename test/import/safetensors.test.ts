import { describe, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import { readNetwork } from '../../src/import/read-network.ts';
import { readSafetensors } from '../../src/import/safetensors.ts';
import { createDice } from '../fixtures/random-model.ts';
import { safetensors } from './files.ts';
import { readWeights } from './imported.ts';

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('a safetensors file', () => {
  test('gives its tensors by name, metadata aside', () => {
    const file = safetensors(
      {
        a: { dtype: 'F32', shape: [2, 1], bytes: floats(1.5, -2) },
        b: { dtype: 'F32', shape: [], bytes: floats(7) },
      },
      { format: 'pt' },
    );
    const tensors = readSafetensors(file);
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('a')?.read()).toEqual({ shape: [2, 1], values: Float32Array.of(1.5, -2) });
    expect(tensors.get('b')?.read().values).toEqual(Float32Array.of(7));
  });

  test.each([
    ['F16', [0x00, 0x3c, 0x00, 0xc1, 0x01, 0x00, 0xff, 0x7b], [1, -2.5, 2 ** -24, 65504]],
    ['BF16', [0x80, 0x3f, 0x20, 0xc0], [1, -2.5]],
    ['F64', [...new Uint8Array(Float64Array.of(0.1, -3).buffer)], [Math.fround(0.1), -3]],
  ])('in %s is read as float32', (dtype, bytes, values) => {
    const file = safetensors({ a: { dtype, shape: [values.length], bytes: Uint8Array.from(bytes) } });
    expect([...(readSafetensors(file).get('a')?.read().values ?? [])]).toEqual(values);
  });

  test('may hold integers that nobody reads', () => {
    const file = safetensors({ n: { dtype: 'I64', shape: [], bytes: new Uint8Array(8) } });
    expect(() => readSafetensors(file).get('n')?.read()).toThrow(
      'tensor n: I64, expected F16, BF16, F32, F64',
    );
  });
});

/** A file with one tensor described by that JSON. */
const described = (entry: string, bytes = 8) => {
  const header = new TextEncoder().encode(`{"w":${entry}}`);
  const length = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer);
  return new Uint8Array(Buffer.concat([length, header, new Uint8Array(bytes)]));
};

describe('a wrong safetensors file is refused in one line', () => {
  test.each([
    [
      'a header beyond the file',
      Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 127, 123]),
      'a header of 9223372036854776000 bytes, expected at most the 1 that follow',
    ],
    [
      'a header cut short',
      described('{"dtype":"F32","shape":[2],"data_offsets":[0,8]}').subarray(0, 30),
      'expected at most the 22 that follow',
    ],
    ['no JSON', described('{"dtype"'), 'a header that is no JSON'],
    ['no entry', described('null'), 'tensor w: expected dtype, shape and data_offsets'],
    ['a negative size', described('{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}'), 'of whole numbers'],
    ['three offsets', described('{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}'), 'of whole numbers'],
    [
      'data cut short',
      described('{"dtype":"F32","shape":[2],"data_offsets":[0,8]}', 4),
      'bytes 0..8, expected them among the 4',
    ],
    ['offsets that fall', described('{"dtype":"F32","shape":[2],"data_offsets":[8,0]}'), 'bytes 8..0'],
    [
      'a huge size',
      described('{"dtype":"F32","shape":[9007199254740991,4096],"data_offsets":[0,8]}'),
      'expected 147',
    ],
    [
      'a huge size beside none',
      described('{"dtype":"F32","shape":[0,4000000000],"data_offsets":[0,0]}'),
      'no values',
    ],
    [
      'a wrong size',
      described('{"dtype":"F32","shape":[3],"data_offsets":[0,8]}'),
      '8 bytes, expected 12 for F32 [3]',
    ],
    [
      'infinite weights',
      safetensors({ w: { dtype: 'F32', shape: [1], bytes: floats(Number.POSITIVE_INFINITY) } }),
      'tensor w: value 0 is Infinity',
    ],
    [
      'NaN in 16 bits',
      safetensors({ w: { dtype: 'F16', shape: [1], bytes: Uint8Array.of(1, 0x7e) } }),
      'value 0 is NaN',
    ],
  ])('%s', (_, file, expected) => {
    const read = () => readSafetensors(file).get('w')?.read();
    expect(read).toThrow(ImportError);
    expect(read).toThrow(expected);
  });

  test.each([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a pickle', Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0]), 'safetensors.torch.save_file'],
    ['text', new TextEncoder().encode('name: boiler\n'), 'neither a safetensors nor an ONNX file'],
  ])('%s', (_, file, expected) => {
    expect(() => readNetwork(file)).toThrow(ImportError);
    expect(() => readNetwork(file)).toThrow(expected);
  });
});

test.each([
  'lstm-2.safetensors',
  'gru-1.safetensors',
  'torch-lstm-2.onnx',
  'torch-gru-2.onnx',
  'skl-gru.onnx',
])('300 damaged copies of %s are read or refused in time, never worse', (file) => {
  const whole = readWeights(file);
  const dice = createDice(file.length);
  for (let i = 0; i < 300; i++) {
    const damaged = dice.chance(0.3) ? whole.slice(0, dice.int(0, whole.length)) : whole.slice();
    for (let n = dice.int(1, 4); n > 0 && damaged.length > 0; n--)
      damaged[dice.int(0, Math.min(damaged.length, dice.pick([200, 1e6])) - 1)] = dice.int(0, 255);
    const start = process.cpuUsage();
    try {
      readNetwork(damaged);
    } catch (error) {
      if (!(error instanceof ImportError)) throw new Error(`copy ${i}: ${error}`, { cause: error });
      expect(error.message).not.toContain('\n');
    }
    expect(process.cpuUsage(start).user).toBeLessThan(1e6);
  }
});
