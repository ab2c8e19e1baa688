import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { type FloatTensor, type Highway, type Model, pointIndex, stateSize } from '../../src/model/model.ts';
import { createGolden } from '../../src/quantize/golden.ts';
import { streamIncrements } from '../../src/quantize/increments.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';
import { addBase } from '../../src/train/answers.ts';
import { createNetwork } from '../../src/train/network.ts';
import { createParameters, type Parameters } from '../../src/train/parameters.ts';
import type { Run } from '../../src/train/runs.ts';
import { createTape, type Tape } from '../../src/train/tape.ts';
import { linearModel, toModel } from '../../src/train/to-model.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { fillNumbers } from './nets.ts';
import { type Setup, type SetupOptions, setUp } from './setup.ts';
import { forwardRun } from './whole-run.ts';

const kernel = createScalarTrainingKernel(float32);

// missing values, gaps that are bridged, gaps that restart a stream cold, two streams, two features
const dataset = syntheticDataset({
  ...{ length: 160, streams: ['a', 'b'], features: ['x', 'y'], missing: 0.1, firstSlot: 1001 },
  gaps: [
    [20, 23],
    [50, 56],
    [90, 104],
  ],
});

const cases: [string, SetupOptions][] = [
  ['lstm, P = 1', { cell: 'lstm', averages: [24, 168], lags: [1, 24] }],
  ['lstm, P = 3', { cell: 'lstm', phases: 3, averages: [3, 21] }],
  ['lstm of 2 layers, P = 1', { cell: 'lstm', layers: 2 }],
  ['lstm of 2 layers, P = 3, the mask', { cell: 'lstm', layers: 2, phases: 3, mask: true }],
  ['lstm, P = 3, filled gaps', { cell: 'lstm', phases: 3, fillSeason: 24 }],
  ['lstm, P = 1, filled gaps, streams that are known', { cell: 'lstm', fillSeason: 5, ownScales: true }],
  ['gru, P = 1', { cell: 'gru' }],
  ['gru of 2 layers, P = 3', { cell: 'gru', layers: 2, phases: 3 }],
  ['rnn, P = 1', { cell: 'rnn' }],
  ['rnn of 3 layers, P = 3', { cell: 'rnn', layers: 3, phases: 3 }],
  ['feedforward', { cell: 'feedforward', lags: [1, 2, 3, 4] }],
  ['feedforward of 2 layers', { cell: 'feedforward', layers: 2, lags: [1, 2, 3, 4] }],
  ['lstm, P = 3, quantiles', { cell: 'lstm', phases: 3, quantiles: [0.1, 0.2, 0.5, 0.9] }],
  ['feedforward, quantiles', { cell: 'feedforward', lags: [1, 2, 3], quantiles: [0.1, 0.5, 0.9] }],
  ['lstm, P = 3, a bias and a scaler a stream', { cell: 'lstm', phases: 3, perStream: true }],
];

const beside: [string, SetupOptions, 'own' | 'all'][] = [
  ['an lstm, P = 3, and a highway of its own past', { cell: 'lstm', phases: 3 }, 'own'],
  ['a gru and a highway of all features', { cell: 'gru' }, 'all'],
  ['quantiles around it', { cell: 'lstm', phases: 3, quantiles: [0.1, 0.5, 0.9] }, 'all'],
];

const common: SetupOptions = { hidden: 5, steps: 3, targets: [1, 0], gapLimit: 6 };

function makeParameters({ topology }: Setup): Parameters {
  const parameters = createParameters(kernel, topology);
  fillNumbers(parameters.flat, 1, 0.6);
  return parameters;
}

/** h, and c of the LSTM, of all layers after row i. */
function statesAfter({ topology, options }: Setup, tape: Tape, i: number): number[] {
  const H = topology.hidden;
  const at = (options.phases + i) * H;
  return tape.layers.flatMap(({ h, c }) => {
    const hidden = h.subarray(at, at + H);
    return topology.cell === 'lstm' ? [...hidden, ...c.subarray(at, at + H)] : [...hidden];
  });
}

describe.each(cases)("the trainer's forward pass has the bits of the engine: %s", (_, options) => {
  const setup = setUp(dataset, { ...common, ...options });
  const parameters = makeParameters(setup);
  const model = toModel(parameters, setup.topology, setup.description);

  test('increments and states, frame by frame, gaps filled', () => {
    const { phases } = setup.options;
    const phaseFloats = setup.topology.layers * stateSize(setup.topology);
    expect(setup.runs.map(({ series, length }) => [series, length])).toEqual([
      [0, 90],
      [0, 56],
      [1, 90],
      [1, 56],
    ]);
    let compared = 0;
    for (const run of setup.runs) {
      const tape = forwardRun(kernel, setup, parameters, run);
      const { stream, values, firstSlot, present } = dataset.series[run.series];
      const served = createStreamRun(model, stream);
      for (let i = 0; i < run.length; i++) {
        const slot = run.firstSlot + i;
        const row = slot - firstSlot;
        if (present[row] === 0) continue;
        served.step(slot, values.subarray(2 * row, 2 * row + 2));
        expect(spread(setup, run, i, tape.y)).toEqual(served.increments);
        const stateAt = (slot % phases) * phaseFloats;
        const state = served.state.subarray(stateAt, stateAt + phaseFloats);
        if (phaseFloats > 0) expect(statesAfter(setup, tape, i)).toEqual([...state]);
        compared++;
      }
    }
    expect(compared).toBe(2 * (90 - 9 + 56));
  });

  test('forecasts of the loaded file, over a cold restart', async () => {
    const golden = createGolden(model, dataset, setup.split);
    const engine = await loadModel(writeModelFile({ ...model, golden }));
    for (const run of setup.runs) {
      const tape = forwardRun(kernel, setup, parameters, run);
      const { stream, values, firstSlot } = dataset.series[run.series];
      const session = engine.openSession(stream);
      // far enough before the run for a restart
      session.step({ timeMs: (run.firstSlot - 50) * dataset.periodMs, values: [9, 21] });
      for (let i = 0; i < run.length; i++) {
        const slot = run.firstSlot + i;
        const row = slot - firstSlot;
        if (dataset.series[run.series].present[row] === 0) continue;
        const answer = session.step({
          timeMs: slot * dataset.periodMs,
          values: values.subarray(2 * row, 2 * row + 2),
        });
        if (answer.kind !== 'forecast') throw new Error(answer.kind);
        expect(answer.values).toEqual(rawAnswers(setup, model, run, i, tape.y));
      }
    }
  });
});

/** The answers to row i with every quantile in its place. */
function spread({ topology, options }: Setup, run: Run, i: number, y: ArrayLike<number>): Float32Array {
  const f = Math.fround;
  const { outputs } = topology;
  const { quantiles, targets, steps } = options;
  const own = Float32Array.from({ length: outputs }, (_, o) => y[i * outputs + o]);
  const point = quantiles.indexOf(0.5);
  return own.map((_, o) => {
    const count = Math.max(1, quantiles.length);
    const q = o % count;
    if (count === 1) return own[o];
    const width = run.widths[i * targets + Math.floor(o / (steps * count))];
    const side = Math.sign(q - point);
    let level = own[o - q + point];
    for (let inner = point + side; side !== 0 && inner !== q + side; inner += side) {
      level = f(level + side * f(width * Math.abs(own[o - q + inner])));
    }
    return level;
  });
}

/** newest value + increment in raw units, from what the trainer knows. */
function rawAnswers(setup: Setup, { input, output }: Model, run: Run, i: number, y: ArrayLike<number>) {
  const f = Math.fround;
  const table = input.channels.length > 0 ? 1 + run.series : 0;
  const count = Math.max(1, output.quantiles.length);
  return spread(setup, run, i, y).map((level, o) => {
    const m = Math.floor(o / (output.steps * count));
    const at = 2 * (table * input.features + output.targets[m]);
    const z = f(run.targets[i * output.targets.length + m] + level);
    return f(f(z * input.scalers[at + 1]) + input.scalers[at]);
  });
}

test('a segment from a zero state has the bits of the engine that answers at its end: output: last', () => {
  const segment = 6;
  const setup = setUp(dataset, { ...common, segment, layers: 2 });
  const parameters = makeParameters(setup);
  const model = toModel(parameters, setup.topology, setup.description);
  const [run] = setup.runs;
  const { inputs, outputs } = setup.topology;
  const tape = createTape(kernel, setup.topology, { rows: 1, steps: segment, answersFrom: segment - 1 });
  const network = createNetwork(kernel, setup.topology);
  const { stream, values, firstSlot } = dataset.series[run.series];
  const served = createStreamRun(model, stream);
  let compared = 0;
  for (let i = 0; i < run.length; i++) {
    const slot = run.firstSlot + i;
    const row = slot - firstSlot;
    if (dataset.series[run.series].present[row] === 0) continue;
    const answers = served.step(slot, values.subarray(2 * row, 2 * row + 2));
    expect(answers !== undefined).toBe((i + 1) % segment === 0);
    if (answers === undefined) continue;
    const from = (i + 1 - segment) * inputs;
    tape.x.set(run.inputs.subarray(from, from + segment * inputs));
    network.forward(parameters, tape);
    expect(tape.y).toEqual(served.increments.slice(0, outputs));
    compared++;
  }
  // one of 15 ends in a gap and answers nobody
  expect(compared).toBe(14);
});

describe.each(beside)(
  'the base that is trained beside has the bits of the served highway: %s',
  (_, options, view) => {
    test('frame by frame, gaps filled, the network on top', () => {
      const setup = setUp(dataset, { ...common, ...options });
      const parameters = makeParameters(setup);
      const { outputs } = setup.topology;
      const count = Math.max(1, setup.options.quantiles.length);
      const point = pointIndex(setup.options);
      const highway = makeHighway(view, outputs / count);
      const model = toModel(
        parameters,
        setup.topology,
        setup.description,
        amongQuantiles(highway, count, point),
      );
      const { architecture, input, output } = setup.description;
      const { swing: _, ...bareInput } = input;
      const alone = linearModel(highway, {
        ...{ ...setup.description, input: bareInput, output: { ...output, quantiles: [] } },
        architecture: { ...architecture, cell: 'none', layers: 0, hidden: 0, phases: 1 },
      });
      let compared = 0;
      for (const bare of setup.runs) {
        const run = { ...bare, base: streamIncrements(alone, dataset, bare) };
        const { y } = forwardRun(kernel, setup, parameters, run);
        const { stream, values, firstSlot, present } = dataset.series[run.series];
        const served = createStreamRun(model, stream);
        for (let i = 0; i < run.length; i++) {
          const row = run.firstSlot + i - firstSlot;
          if (present[row] === 0) continue;
          served.step(run.firstSlot + i, values.subarray(2 * row, 2 * row + 2));
          addBase(run, i, y, i * outputs + point, count, Math.fround);
          expect(spread(setup, run, i, y)).toEqual(served.increments);
          compared++;
        }
      }
      expect(compared).toBe(2 * (90 - 9 + 56));
    });
  },
);

/** The rows of a highway at the points of an answer, zero at the distances. */
function amongQuantiles(highway: Highway, count: number, point: number): Highway {
  const widen = ({ values, shape }: FloatTensor, columns: number): FloatTensor => {
    const wide = new Float32Array(values.length * count);
    for (let r = 0; r < values.length / columns; r++)
      wide.set(values.subarray(r * columns, (r + 1) * columns), (r * count + point) * columns);
    return { kind: 'float32', shape: shape.map((one, i) => (i === 1 ? one * count : one)), values: wide };
  };
  const { weights, bias } = highway;
  return { ...highway, weights: widen(weights, weights.shape[2]), bias: widen(bias, 1) };
}

/** Of made-up numbers, over the last 5 values. */
function makeHighway(view: 'own' | 'all', outputs: number): Highway {
  const window = 5;
  const columns = view === 'all' ? 2 * window : window - 1;
  const tensor = (seed: number, ...shape: number[]) => {
    const values = new Float32Array(shape.reduce((size, one) => size * one, 1));
    fillNumbers(values, seed, 0.6);
    return { kind: 'float32', shape, values } as const;
  };
  return {
    ...{ allFeatures: view === 'all', window },
    weights: tensor(2, 1, outputs, columns),
    bias: tensor(3, 1, outputs),
  };
}
