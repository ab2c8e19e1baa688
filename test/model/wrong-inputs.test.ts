import { describe, expect, test } from 'vitest';
import { writeModelFile } from '../../src/model/format.ts';
import { createModel } from '../fixtures/random-model.ts';
import { edit, floats, refusal, set, type WrongField, withFloat } from './edits.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

// two features, lags 1 and 3, three steps, residuals at 0.1, 0.5 and 0.9, two scalers
const file = writeModelFile(
  createModel({ weights: 'int8', layers: 2, channels: ['LGA'], highway: 'own', groups: 'each' }),
);

// the season is 24
const scaled = writeModelFile(createModel({ fill: true, streams: ['JFK', 'LGA'] }));

const named = (count: number) => Array.from({ length: count }, (_, k) => ({ name: `f${k}` }));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
/** Scalers for that many features and the one channel. */
const ones = (features: number) => floats(...new Array(4 * features).fill(1));
const cut = (bytes: Uint8Array | null | undefined) => bytes?.subarray(1);

const inputs: readonly WrongField[] = [
  ['no features', ({ input }) => set(input, { features: [] }), 'features 0, expected 1..1024'],
  [
    'too many features',
    ({ input }) => set(input, { features: named(2000) }),
    'features 2000, expected 1..1024',
  ],
  [
    'two features of one name',
    ({ input }) => set(input, { features: [{ name: 'x' }, { name: 'x' }] }),
    'feature names x,x, expected distinct ones',
  ],
  [
    'no name',
    ({ input }) => set(input, { features: [{ name: 'x' }, {}] }),
    'feature names x,, expected distinct',
  ],
  ['no period', ({ input }) => set(input, { periodMs: 0 }), 'period in ms 0, expected 1..31622400000'],
  ['a fractional period', ({ input }) => set(input, { periodMs: 0.5 }), 'period in ms 0.5, expected 1..3'],
  [
    'a period of NaN',
    ({ input }) => set(input, { periodMs: nan }),
    'period in ms NaN, expected 1..31622400000',
  ],
  [
    'a period of years',
    ({ input }) => set(input, { periodMs: 1e12 }),
    'period in ms 1000000000000, expected 1..3',
  ],
  ['no season', ({ input }) => set(input, { season: 0 }), 'season 0, expected 1..20160'],
  [
    'a huge gap limit',
    ({ input }) => set(input, { gapLimit: 4e9 }),
    'gap limit 4000000000, expected 0..20160',
  ],
  ['a lag of 0', ({ input }) => set(input, { lags: [0, 1] }), 'lag 0, expected 1..20160'],
  ['a huge lag', ({ input }) => set(input, { lags: [1, 4e9] }), 'lag 4000000000, expected 1..20160'],
  ['lags that do not rise', ({ input }) => set(input, { lags: [3, 3] }), 'lags 3, 3, expected rising ones'],
  ['too many lags', ({ input }) => set(input, { lags: upTo(30_000) }), 'lags: 30000, expected 0..20160'],
  ['too many averages', ({ input }) => set(input, { averages: upTo(17) }), 'averages: 17, expected 0..16'],
  [
    'a short average',
    ({ input }) => set(input, { averages: [0.5] }),
    'average over 0.5 frames, expected 1..1000000',
  ],
  [
    'an average of NaN',
    ({ input }) => set(input, { averages: [nan] }),
    'average over NaN frames, expected 1..1',
  ],
  [
    'nothing for the network to see',
    ({ input }) => set(input, { lags: [], averages: [] }),
    'a network without inputs, expected plain values, lags, averages or a mask',
  ],
  [
    'a channel twice',
    ({ input }) => set(input, { channels: ['a', 'a'] }),
    'a channel named twice, expected distinct',
  ],
  [
    'shared channels that are no features',
    ({ input }) => set(input, { channels: ['a'], shared: true }),
    'shared channels a, expected STREAM/FEATURE, of one feature',
  ],
  [
    'cut scalers',
    ({ input }) => set(input, { scalers: cut(input.scalers) }),
    'scalers: 31 bytes, expected a multiple of 4',
  ],
  [
    'a scaler too few',
    ({ input }) => set(input, { scalers: floats(0, 1, 0, 1) }),
    '4 scaler values, expected 8',
  ],
  [
    'a swing without lags',
    ({ input }) => set(input, { lags: [], swing: 20, swingLevels: floats(1, 1) }),
    'swings without lags, expected a lag to swing over',
  ],
  [
    'a swing shorter than the longest lag',
    ({ input }) => set(input, { swing: 2, swingLevels: floats(1, 1) }),
    'swing over 2, expected 3..1000000',
  ],
  [
    'a swing level too few',
    ({ input }) => set(input, { swing: 20, swingLevels: floats(1) }),
    '1 swing levels, expected 2',
  ],
  [
    'a swing level of 0',
    ({ input }) => set(input, { swing: 20, swingLevels: floats(1, 0) }),
    'swing level 0',
  ],
  [
    'a swing level of NaN',
    ({ input }) => set(input, { swing: 20, swingLevels: floats(nan, 1) }),
    'swing level NaN, expected above 0',
  ],
  ...(
    [
      ['a scale of 0', 3, 0, /^scaler 40\..*, 0, expected a mean within 1e\+30 and a positive scale up to 1/],
      ['a negative scale', 3, -1, /^scaler 40\..*, -1, expected a mean within/],
      ['an infinite scale', 7, infinity, /^scaler 40\..*, Infinity, expected/],
      ['a scale beyond all sensors', 7, 1e21, /^scaler .*, 1.*e\+21, expected/],
      ['a mean of NaN', 2, nan, /^scaler NaN, .*, expected a mean/],
      ['a mean beyond all sensors', 2, -3e38, /^scaler -3.*e\+38, .*, expected a mean/],
    ] as const
  ).map(
    ([name, at, value, message]): WrongField => [
      name,
      ({ input }) => set(input, { scalers: withFloat(input.scalers, at, value) }),
      message,
    ],
  ),
];

/** Two features with a fill and a spread, and two streams of the training. */
const fills: readonly WrongField[] = [
  ['a weight too few', ({ input }) => set(input, { fill: floats(0, 1, 1) }), '3 fill weights, expected 4'],
  [
    'cut weights',
    ({ input }) => set(input, { fill: cut(input.fill) }),
    'fill: 15 bytes, expected a multiple',
  ],
  ...(
    [
      ['a negative weight', -0.5],
      ['a weight above 1', 1.5],
      ['a weight of NaN', nan],
    ] as const
  ).map(
    ([name, value]): WrongField => [
      name,
      ({ input }) => set(input, { fill: withFloat(input.fill, 3, value) }),
      `fill weight ${value}, expected 0..1`,
    ],
  ),
  [
    'weights but no season',
    ({ input }) => set(input, { season: 1 }),
    'fill without a season, expected a season of 2 frames or more',
  ],
  [
    'a season over a ring of millions of floats',
    ({ input }) => {
      set(input, { features: named(1000), season: 20_160, scalers: floats(...new Array(2000).fill(1)) });
    },
    'a ring of 20161000 floats, expected at most 4194304',
  ],
];

const scales: readonly WrongField[] = [
  ['a spread too few', ({ input }) => set(input, { spread: floats(1) }), '1 spreads, expected 2'],
  ...(
    [
      ['a negative spread', -1],
      ['a spread of nearly nothing', 1e-20],
      ['a spread beyond all sensors', 1e20],
      ['a spread of NaN', nan],
    ] as const
  ).map(
    ([name, value]): WrongField => [
      name,
      ({ input }) => set(input, { spread: withFloat(input.spread, 1, value) }),
      /^spread .*, expected 0 or 1e-9\.\.10000000000000/,
    ],
  ),
  [
    'no stream of its training',
    ({ input }) => set(input, { streams: [] }),
    'a spread without streams or channels, expected the streams of the training',
  ],
  [
    'more streams than anybody names',
    ({ input }) => set(input, { streams: named(10_001).map(({ name }) => name) }),
    'streams: 10001, expected 0..10000',
  ],
  [
    'streams without a spread',
    ({ input }) => set(input, { spread: new Uint8Array(0) }),
    'streams without a spread, expected both or none',
  ],
  ['plain inputs', ({ input }) => set(input, { plain: true }), 'a spread with plain inputs, expected diff'],
  [
    'plain outputs',
    ({ output }) => set(output, { plain: true }),
    'a spread with plain outputs, expected incr',
  ],
];

const sizes: readonly WrongField[] = [
  [
    'lags over a ring of millions of floats',
    ({ input }) => set(input, { features: named(1000), lags: [20_160], averages: [], scalers: ones(1000) }),
    'a ring of 20161000 floats, expected at most 4194304',
  ],
  [
    'a highway over a ring of millions of floats',
    (d) => {
      set(d.input, { features: named(1000), lags: [1], averages: [], scalers: ones(1000) });
      set(d.architecture, { cell: 0, hidden: 0 });
      set(d, { layers: [] });
      set(d.highway, { window: 90_000 });
    },
    'a ring of 90000000 floats, expected at most 4194304',
  ],
  [
    'more inputs than any network',
    ({ input }) => set(input, { features: named(100), lags: upTo(1000), scalers: ones(100) }),
    'inputs: 100100, expected 0..65536',
  ],
  [
    'more inputs than any highway',
    ({ highway }) => set(highway, { window: 70_000 }),
    'highway inputs: 69999, expected 1..65536',
  ],
  [
    'more answers than anybody reads',
    ({ input, output }) => {
      set(output, { steps: 1024, quantiles: upTo(32).map((q) => q / 33), targets: [0, 1, 2] });
      set(input, { features: named(3), scalers: ones(3) });
    },
    'outputs: 98304, expected 1..65536',
  ],
];

describe.each([
  ['inputs', inputs, file],
  ['sizes', sizes, file],
  ['fills', fills, scaled],
  ['scales', scales, scaled],
])('a file with wrong %s is refused:', (_group, cases, changed) => {
  for (const [name, change, message] of cases) {
    test(name, () => {
      expect(refusal(edit(changed, change))).toMatch(message);
    });
  }
});
