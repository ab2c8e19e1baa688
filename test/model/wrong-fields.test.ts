import { describe, expect, test } from 'vitest';
import { writeModelFile } from '../../src/model/format.ts';
import { createModel } from '../fixtures/random-model.ts';
import { edit, floats, refusal, set, type WrongField, withFloat } from './edits.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

// two features, lags 1 and 3, three steps, residuals at 0.1, 0.5 and 0.9, two scalers
const file = writeModelFile(
  createModel({ weights: 'int8', layers: 2, channels: ['LGA'], highway: 'own', groups: 'each' }),
);

const times = (...values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);
const cut = (bytes: Uint8Array | null | undefined) => bytes?.subarray(1);

const parts: readonly WrongField[] = [
  ['another format version', (d) => set(d, { formatVersion: 2 }), 'format version 2, expected 1'],
  ['no format version', (d) => set(d, { formatVersion: 0 }), 'format version 0, expected 1'],
  ['no architecture', (d) => set(d, { architecture: null }), 'no architecture, expected one'],
  ['no input', (d) => set(d, { input: null }), 'no input, expected one'],
  ['no output', (d) => set(d, { output: null }), 'no output, expected one'],
  ['no head', (d) => set(d, { head: null }), 'no head, expected one'],
  ['no calibration', (d) => set(d, { calibration: null }), 'no calibration, expected one'],
  ['no training record', (d) => set(d, { training: null }), 'no training record, expected one'],
  ['no golden vectors', (d) => set(d, { golden: null }), 'no golden vectors, expected one'],
  ['no layers', (d) => set(d, { layers: [] }), 'layers 0, expected 1..4'],
  [
    'six layers',
    (d) => set(d, { layers: [...d.layers, ...d.layers, ...d.layers] }),
    'layers 6, expected 1..4',
  ],
  ['an unknown cell', ({ architecture: a }) => set(a, { cell: 9 }), 'cell 9, expected 0..4'],
  ['no units', ({ architecture: a }) => set(a, { hidden: 0 }), 'hidden 0, expected 1..1024'],
  ['too many units', ({ architecture: a }) => set(a, { hidden: 4e9 }), 'hidden 4000000000, expected 1..1024'],
  ['no phases', ({ architecture: a }) => set(a, { phases: 0 }), 'phases 0, expected 1..20160'],
  [
    'a billion phases',
    ({ architecture: a }) => set(a, { phases: 1e9 }),
    'phases 1000000000, expected 1..20160',
  ],
  [
    'a huge segment',
    ({ architecture: a }) => set(a, { segment: 1e9 }),
    'segment 1000000000, expected 0..100000',
  ],
  [
    'a segment of several phases',
    ({ architecture: a }) => set(a, { segment: 4, phases: 2 }),
    'segment 4 with 2 phases, expected one phase for output last',
  ],
  [
    'layers of no cell',
    ({ architecture: a }) => set(a, { cell: 0 }),
    'cell none with 2 layers of 5, expected none',
  ],
  [
    'neither cell nor highway',
    (d) => {
      set(d, { layers: [], highway: null });
      set(d.architecture, { cell: 0, hidden: 0 });
    },
    'cell none without a highway, expected one',
  ],
  [
    'a time without end',
    (d) => set(d, { createdMs: 1e300 }),
    'created at 1e+300, expected milliseconds since 1970',
  ],
  [
    'training that never ends',
    ({ training }) => set(training, { trainEndMs: nan }),
    'training ends at NaN, expected milliseconds since 1970',
  ],
];

const outputs: readonly WrongField[] = [
  ['no target', ({ output }) => set(output, { targets: [] }), 'targets: 0, expected 1..2'],
  ['a target that is no feature', ({ output }) => set(output, { targets: [2] }), 'target 2, expected 0..1'],
  ['a target twice', ({ output }) => set(output, { targets: [1, 1] }), 'targets 1,1, expected distinct ones'],
  ['no steps', ({ output }) => set(output, { steps: 0 }), 'steps 0, expected 1..1024'],
  ['too many steps', ({ output }) => set(output, { steps: 4e9 }), 'steps 4000000000, expected 1..1024'],
  ['no horizon', ({ output }) => set(output, { horizons: [] }), 'horizons: 0, expected 1..3'],
  ['a horizon too far', ({ output }) => set(output, { horizons: [1, 4] }), 'horizon 4, expected 1..3'],
  [
    'falling horizons',
    ({ output }) => set(output, { horizons: [2, 1] }),
    'horizons 2, 1, expected rising ones',
  ],
  [
    'a quantile of 1',
    ({ output }) => set(output, { quantiles: [1] }),
    'quantile 1, expected between 0 and 1',
  ],
  [
    'falling quantiles',
    ({ output }) => set(output, { quantiles: [0.5, 0.1] }),
    'quantiles 0.5, 0.1, expected rising',
  ],
  [
    'calibration levels that do not rise',
    ({ calibration }) => set(calibration, { levels: [0.5, 0.5, 0.9] }),
    'calibration levels 0.5, 0.5, 0.9, expected rising ones between 0 and 1',
  ],
  [
    'a calibration level of 0',
    ({ calibration }) => set(calibration, { levels: [0, 0.5, 0.9] }),
    'calibration levels 0, 0.5, 0.9, expected rising ones between 0 and 1',
  ],
  [
    'residuals of more levels',
    ({ calibration }) => set(calibration, { levels: [0.5] }),
    'calibration residuals: 9 values, expected 3',
  ],
  [
    'a residual of NaN',
    ({ calibration }) => set(calibration, { residuals: withFloat(calibration.residuals, 4, nan) }),
    'calibration residuals: value 4 is NaN, expected a finite number',
  ],
];

const hour = 3.6e6;
const golden: readonly WrongField[] = [
  ['no frames', ({ golden: g }) => set(g, { timesMs: times() }), 'no golden frames, expected some'],
  [
    'cut times',
    ({ golden: g }) => set(g, { timesMs: cut(g.timesMs) }),
    'golden times: 511 bytes, expected a multiple of 8',
  ],
  [
    'two frames in one slot',
    ({ golden: g }) => set(g, { timesMs: times(0, hour, hour + 1) }),
    'golden time 3600001, expected each in a later slot than the one before',
  ],
  [
    'times that go back',
    ({ golden: g }) => set(g, { timesMs: times(2 * hour, hour) }),
    'golden time 3600000, expected each in a later slot than the one before',
  ],
  [
    'a time of NaN',
    ({ golden: g }) => set(g, { timesMs: times(0, nan) }),
    'golden time NaN, expected milliseconds',
  ],
  [
    'frames that take hours to prove',
    ({ golden: g }) => set(g, { timesMs: times(0, 65_536 * hour) }),
    'golden frames over 65537 slots, expected at most 65536',
  ],
  [
    'a frame too few',
    ({ golden: g }) => set(g, { frames: floats(1, 2) }),
    'golden frames: 2 values, expected 128',
  ],
  [
    'an output too few',
    ({ golden: g }) => set(g, { outputs: floats(1) }),
    'golden outputs: 1 values, expected 192',
  ],
  [
    'an output of NaN',
    ({ golden: g }) => set(g, { outputs: withFloat(g.outputs, 8, nan) }),
    'golden outputs: value 8 is NaN, expected a finite number',
  ],
  [
    'a state too small',
    ({ golden: g }) => set(g, { state: floats(1) }),
    'golden state: 1 values, expected 20',
  ],
  [
    'an infinite state',
    ({ golden: g }) => set(g, { state: withFloat(g.state, 8, infinity) }),
    'golden state: value 8 is Infinity, expected a finite number',
  ],
];

describe.each([
  ['parts', parts],
  ['outputs', outputs],
  ['golden vectors', golden],
])('a file with wrong %s is refused:', (_group, cases) => {
  for (const [name, change, message] of cases) {
    test(name, () => {
      expect(refusal(edit(file, change))).toMatch(message);
    });
  }
});
