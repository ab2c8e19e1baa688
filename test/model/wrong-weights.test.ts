import { describe, expect, test } from 'vitest';
import type { cellstream } from '#proto/model.js';
import { writeModelFile } from '../../src/model/format.ts';
import { createModel } from '../fixtures/random-model.ts';
import { type Draft, edit, refusal, set, type WrongField, withFloat } from './edits.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

// W [20, 6], U [20, 5], b [2, 20] and [1, 20]; V [3, 5], d [3], S [3, 6]; R [2, 3, 3], r [2, 3]
const int8 = writeModelFile(
  createModel({ weights: 'int8', layers: 2, channels: ['LGA'], highway: 'own', groups: 'each' }),
);
// W [15, 6]
const gru = writeModelFile(createModel({ cell: 'gru' }));

const W = ({ layers }: Draft) => layers[0].inputWeights as cellstream.ITensor;
const U = ({ layers }: Draft) => layers[0].recurrentWeights as cellstream.ITensor;
const b = ({ layers }: Draft) => layers[0].bias as cellstream.ITensor;

const cut = (bytes: Uint8Array | null | undefined, by = 1) => bytes?.subarray(by);
const zeros = (length: number) => new Uint8Array(length);

function withByte(bytes: Uint8Array | null | undefined, at: number, value: number): Uint8Array {
  const changed = new Uint8Array(bytes ?? []);
  changed[at] = value;
  return changed;
}

const missing: readonly WrongField[] = [
  [
    'no W',
    (d) => set(d.layers[0], { inputWeights: null }),
    'layer 0 input weights: missing, expected float32 [20,6]',
  ],
  [
    'no U',
    (d) => set(d.layers[1], { recurrentWeights: null }),
    'layer 1 recurrent weights: missing, expected float32 [20,5]',
  ],
  ['no bias', (d) => set(d.layers[0], { bias: null }), 'layer 0 bias: missing, expected float32 [2,20]'],
  [
    'no b_n',
    (d) => set(d.layers[0], { recurrentBias: null }),
    'layer 0 recurrent bias: missing, expected float32 [5]',
    gru,
  ],
  ['no V', (d) => set(d.head, { weights: null }), 'head weights: missing, expected float32 [3,5]'],
  ['no d', (d) => set(d.head, { bias: null }), 'head bias: missing, expected float32 [3]'],
  ['no S', (d) => set(d.head, { skip: null }), 'head skip: missing, expected float32 [3,6]'],
  ['no R', (d) => set(d.highway, { weights: null }), 'highway weights: missing, expected float32 [2,3,3]'],
  ['no r', (d) => set(d.highway, { bias: null }), 'highway with 0 groups, expected 1 or 2'],
];

const shapes: readonly WrongField[] = [
  [
    'W turned over',
    (d) => set(W(d), { shape: [6, 20] }),
    'layer 0 input weights: shape [6,20], expected [20,6]',
  ],
  ['W of no shape', (d) => set(W(d), { shape: [] }), 'layer 0 input weights: shape [], expected [20,6]'],
  ['W flat', (d) => set(W(d), { shape: [120] }), 'layer 0 input weights: shape [120], expected [20,6]'],
  [
    'a bias for fewer channels',
    (d) => set(b(d), { shape: [1, 20] }),
    'layer 0 bias: shape [1,20], expected [2,20]',
  ],
  [
    'V turned over',
    (d) => set(d.head.weights, { shape: [5, 3] }),
    'head weights: shape [5,3], expected [3,5]',
  ],
  [
    'a short plane',
    (d) => set(W(d), { plane: cut(W(d).plane) }),
    'layer 0 input weights: 119 integers, expected 120',
  ],
  [
    'a long low plane',
    (d) => set(W(d), { lowPlane: zeros(121) }),
    'layer 0 input weights: 121 integers, expected 120',
  ],
  [
    'a row scale too few',
    (d) => set(U(d), { rowScales: cut(U(d).rowScales, 4) }),
    'recurrent weights: 19 row scales for 20 rows',
  ],
  [
    'cut row scales',
    (d) => set(U(d), { rowScales: cut(U(d).rowScales) }),
    'row scales: 79 bytes, expected a multiple of 4',
  ],
  [
    'a weight too few',
    (d) => set(W(d), { float32: cut(W(d).float32, 4) }),
    'layer 0 input weights: 89 values, expected 90',
    gru,
  ],
  [
    'cut weights',
    (d) => set(W(d), { float32: cut(W(d).float32) }),
    'input weights: 359 bytes, expected a multiple of 4',
    gru,
  ],
  ['a window of 1', (d) => set(d.highway, { window: 1 }), 'highway window 1, expected 2..100000'],
  ['a huge window', (d) => set(d.highway, { window: 4e9 }), 'highway window 4000000000, expected 2..100000'],
  [
    'another window',
    (d) => set(d.highway, { window: 5 }),
    'highway weights: shape [2,3,3], expected [2,3,4]',
  ],
  [
    'a highway too many',
    (d) => set(d.highway.bias, { shape: [3, 3] }),
    'highway with 3 groups, expected 1 or 2',
  ],
];

const numbers: readonly WrongField[] = [
  [
    '-128',
    (d) => set(U(d), { plane: withByte(U(d).plane, 7, 0x80) }),
    'recurrent weights: holds -128, expected -127..127',
  ],
  [
    '-128 in a low plane',
    (d) => set(W(d), { lowPlane: withByte(W(d).lowPlane, 7, 0x80) }),
    'layer 0 input weights: holds -128, expected -127..127',
  ],
  ...([0, -1, nan, infinity, 1e38] as const).map(
    (value): WrongField => [
      `a row scale of ${value}`,
      (d) => set(U(d), { rowScales: withFloat(U(d).rowScales, 3, value) }),
      new RegExp(
        `^layer 0 recurrent weights row scales: value 3 is ${Math.fround(value)}, expected .*\\.\\.1000000$`.replace(
          '+',
          '\\+',
        ),
      ),
    ],
  ),
  ...([nan, infinity, -infinity, 1.1e6, -3e38] as const).flatMap((value): readonly WrongField[] => {
    const found = `value 5 is ${Math.fround(value)}, expected -1000000..1000000`;
    const change = (tensor: cellstream.ITensor | null | undefined) =>
      set(tensor, { float32: withFloat(tensor?.float32, 5, value) });
    return [
      [`a weight of ${value}`, (d) => change(W(d)), `layer 0 input weights: ${found}`, gru],
      [`a bias of ${value}`, (d) => change(b(d)), `layer 0 bias: ${found}`],
      [`a recurrent weight of ${value}`, (d) => change(U(d)), `layer 0 recurrent weights: ${found}`, gru],
      [`a skip of ${value}`, (d) => change(d.head.skip), `head skip: ${found}`],
      [`a highway of ${value}`, (d) => change(d.highway.weights), `highway weights: ${found}`],
    ];
  }),
];

const kinds: readonly WrongField[] = [
  [
    'an input limit of 0',
    (d) => set(d.layers[0], { inputLimit: 0 }),
    'layer 0 input limit 0, expected 1..4095',
  ],
  [
    'an input limit of 13 bits',
    (d) => set(d.layers[0], { inputLimit: 4096 }),
    'layer 0 input limit 4096, expected 1..4095',
  ],
  [
    'a hidden limit of its own',
    (d) => set(d.layers[0], { hiddenLimit: 255 }),
    'layer 0 hidden limit 255, expected 127 or 2047',
  ],
  [
    'an input limit that is not the hidden limit below',
    (d) => set(d.layers[1], { inputLimit: 2047 }),
    'layer 1 input limit 2047, expected 127, the hidden limit of layer 0',
  ],
  [
    'a hidden limit that is not the input limit above',
    (d) => set(d.layers[0], { hiddenLimit: 2047 }),
    'layer 1 input limit 127, expected 2047, the hidden limit of layer 0',
  ],
  [
    'limits for floats',
    (d) => set(d.layers[0], { inputLimit: 127 }),
    'layer 0: float weights with integer limits, expected limits of 0',
    gru,
  ],
  [
    'float W beside int8 U',
    (d) => set(d.layers[0], { inputWeights: { shape: [20, 6], float32: zeros(480) } }),
    'layer 0: weights of kinds float32,int8, expected one kind',
  ],
  [
    'floats above int8',
    (d) => {
      const floats = { shape: [20, 5], float32: zeros(400) };
      set(d.layers[1], { inputWeights: floats, recurrentWeights: floats, inputLimit: 0, hiddenLimit: 0 });
    },
    'layer 1: float32 weights, expected int8 as in layer 0',
  ],
  [
    'int8 in a GRU',
    (d) => {
      const integers = (columns: number) => ({
        shape: [15, columns],
        plane: zeros(15 * columns),
        rowScales: ones(15),
      });
      set(d.layers[0], { inputWeights: integers(6), recurrentWeights: integers(5) });
    },
    'layer 0: int8 weights in a gru cell, expected int8 only for the lstm',
    gru,
  ],
];

function ones(count: number): Uint8Array {
  return new Uint8Array(new Float32Array(count).fill(1).buffer);
}

describe.each([
  ['parts', missing],
  ['shapes', shapes],
  ['numbers', numbers],
  ['kinds', kinds],
])('a file with wrong %s of weights is refused:', (_group, cases) => {
  for (const [name, change, message, file = int8] of cases) {
    test(name, () => {
      expect(refusal(edit(file, change))).toMatch(message);
    });
  }
});

describe('integer sums', () => {
  /** One LSTM unit with that many inputs, all of their integers at their largest. */
  function fullRows(inputs: number, inputLimit: number): Uint8Array {
    const lags = Array.from({ length: inputs }, (_, i) => i + 1);
    const small = createModel({ weights: 'int8', features: 1, hidden: 1, lags, averages: [] });
    return edit(writeModelFile(small), (d) => {
      set(W(d), { plane: zeros(4 * inputs).fill(127), lowPlane: zeros(4 * inputs).fill(15) });
      set(d.layers[0], { inputLimit });
    });
  }

  test('that may leave int32 are refused: 4079 times 4095 fits 128 times, and not 129 times', () => {
    expect(refusal(fullRows(128, 4095))).toBe('nothing: it was read');
    expect(refusal(fullRows(129, 4095))).toBe(
      `layer 0 input weights: a sum may reach ${129 * 4079 * 4095}, expected at most 2147483647`,
    );
  });

  test('are bounded by the limit in the file', () => {
    const limit = Math.floor((2 ** 31 - 1) / (129 * 4079));
    expect(refusal(fullRows(129, limit))).toBe('nothing: it was read');
    expect(refusal(fullRows(129, limit + 1))).toMatch(/a sum may reach/);
  });
});
