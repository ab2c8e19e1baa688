import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { increment } from '../../src/train/answers.ts';
import { createTape } from '../../src/train/tape.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { prepareStates } from './prepared.ts';
import { type SetupOptions, setUp } from './setup.ts';
import { forwardRun } from './whole-run.ts';

const kernel = createScalarTrainingKernel(float32);

// a gap that is bridged, a restart in training, one in validation
const base = syntheticDataset({
  ...{ length: 300, streams: ['a', 'b'], features: ['x', 'y'], season: 6, missing: 0.05 },
  gaps: [
    [70, 74],
    [100, 120],
    [210, 225],
  ],
});

const cases: [string, SetupOptions][] = [
  ['lstm of 2 layers, P = 1', { cell: 'lstm', layers: 2 }],
  ['lstm, P = 6', { cell: 'lstm', phases: 6 }],
  ['gru of 2 layers, P = 3', { cell: 'gru', layers: 2, phases: 3 }],
  ['rnn, a bias a stream', { cell: 'rnn', perStream: true }],
  ['lstm, quantiles', { cell: 'lstm', phases: 3, quantiles: [0.1, 0.2, 0.5, 0.9] }],
  ['feedforward', { cell: 'feedforward', lags: [1, 2] }],
];

function prepare(options: SetupOptions) {
  const setup = setUp(base, { hidden: 5, steps: 3, targets: [1, 0], gapLimit: 6, ...options });
  const { topology, runs } = setup;
  const { network, parameters, states } = prepareStates(kernel, setup);

  /** Rows first, first + P, ... of a run, from the state that the tape holds. */
  function fill(tape: ReturnType<typeof createTape>, run: number, first: number, r = 0): void {
    for (let t = 0; t < tape.steps; t++) {
      const row = first + t * setup.options.phases;
      const from = row * topology.inputs;
      tape.x.set(
        runs[run].inputs.subarray(from, from + topology.inputs),
        (t * tape.rows + r) * topology.inputs,
      );
      tape.biasRows[t * tape.rows + r] = topology.biases > 1 ? runs[run].series : 0;
    }
  }

  const whole = (run: number) => forwardRun(kernel, setup, parameters, runs[run]);

  return { setup, network, parameters, states, fill, whole };
}

describe.each(cases)('a streaming pass: %s', (_, options) => {
  const { setup, network, parameters, states, fill, whole } = prepare(options);
  const { topology, runs } = setup;
  const { phases, trainEnds, validationEnds, steps, targets } = setup.options;
  const H = topology.hidden;
  const validation = states.pass(parameters);
  const T = 4;
  const tape = createTape(kernel, topology, { rows: 1, steps: T });

  test('leaves the states from which a chunk goes on with the very same bits', () => {
    let compared = 0;
    runs.forEach((_, run) => {
      const all = whole(run);
      for (let first = 0; first + (T - 1) * phases < trainEnds[run]; first++) {
        states.restore(tape, 0, run, first, false);
        fill(tape, run, first);
        network.forward(parameters, tape);
        for (let t = 0; t < T; t++) {
          const row = first + t * phases;
          tape.layers.forEach(({ hAfter, c }, l) => {
            const at = (phases + row) * H;
            expect(hAfter.slice(t * H, (t + 1) * H)).toEqual(all.layers[l].h.slice(at, at + H));
            expect(c.slice((t + 1) * H, (t + 2) * H)).toEqual(all.layers[l].c.slice(at, at + H));
          });
          const { outputs } = topology;
          expect(tape.y.slice(t * outputs, (t + 1) * outputs)).toEqual(
            all.y.slice(row * outputs, (row + 1) * outputs),
          );
        }
        compared++;
      }
    });
    expect(compared).toBeGreaterThan(100);
  });

  test('can be left out: a reset starts from zero, as the first rows of a run do', () => {
    for (const [first, zero] of [
      [50, true],
      [phases - 1, false],
    ] as const) {
      tape.layers.forEach(({ h, c }) => {
        h.fill(9);
        c.fill(9);
      });
      states.restore(tape, 0, 0, first, zero);
      for (const { h, c } of tape.layers) {
        expect(h.subarray(0, H)).toEqual(new Float32Array(H));
        expect(c.subarray(0, H)).toEqual(new Float32Array(H));
      }
    }
  });

  test('puts a state into one row of a tape and leaves its neighbours alone', () => {
    const wide = createTape(kernel, topology, { rows: 3, steps: 1 });
    for (const { h } of wide.layers) h.fill(9);
    states.restore(wide, 1, 0, 50, false);
    states.restore(tape, 0, 0, 50, false);
    wide.layers.forEach(({ h }, l) => {
      expect(h.slice(H, 2 * H)).toEqual(tape.layers[l].h.slice(0, H));
      expect([...h.slice(0, H), ...h.slice(2 * H, 3 * H)]).toEqual(new Array(2 * H).fill(9));
    });
  });

  test('scores the answers whose whole horizon lies in validation', () => {
    let squares = 0;
    let count = 0;
    runs.forEach((run, r) => {
      const { y } = whole(r);
      for (let row = 0; row < run.length; row++) {
        // steps 1..3 from the last training row on
        const isInside = row + 1 >= trainEnds[r] && row + steps < validationEnds[r];
        const rows = topology.outputs / (targets * steps);
        for (let o = 0; isInside && o < targets * steps; o++) {
          const m = Math.floor(o / steps);
          const truth = increment(run, targets, row, m, 1 + (o % steps), run.length);
          if (Number.isNaN(truth)) continue;
          // the third of four levels is the point
          squares += (y[row * topology.outputs + o * rows + (rows > 1 ? 2 : 0)] - truth) ** 2;
          count++;
        }
      }
    });
    expect(count).toBeGreaterThan(200);
    expect(validation).toBeCloseTo(squares / count, 10);
  });

  test('gives the same again: nothing of a pass before is left', () => {
    expect(states.pass(parameters)).toBe(validation);
  });
});

test('a pass of output: last answers at the end of every segment, each from a zero state', () => {
  const segment = 5;
  const { setup, network, parameters, states, fill } = prepare({ segment });
  const { runs, topology } = setup;
  const { trainEnds, validationEnds, steps, targets } = setup.options;
  const tape = createTape(kernel, topology, { rows: 1, steps: segment, answersFrom: segment - 1 });
  let squares = 0;
  let count = 0;
  runs.forEach((run, r) => {
    for (let row = segment - 1; row + steps < validationEnds[r]; row += segment) {
      if (row + 1 < trainEnds[r]) continue;
      fill(tape, r, row + 1 - segment);
      network.forward(parameters, tape);
      tape.y.forEach((y, o) => {
        const truth = increment(run, targets, row, Math.floor(o / steps), 1 + (o % steps), run.length);
        if (Number.isNaN(truth)) return;
        squares += (y - truth) ** 2;
        count++;
      });
    }
  });
  expect(count).toBeGreaterThan(40);
  expect(states.pass(parameters)).toBeCloseTo(squares / count, 10);
});
