import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { spreadQuantiles } from '../../src/model/quantiles.ts';
import { increment } from '../../src/train/answers.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { type Setup, type SetupOptions, setUp } from './setup.ts';
import { train, trainWatched } from './training.ts';
import { forwardRun } from './whole-run.ts';

const kernel = createScalarTrainingKernel(float32);

const SEASON = 12;
const dataset = syntheticDataset({
  length: 700,
  season: SEASON,
  noise: 0.3,
  missing: 0.02,
  gaps: [[200, 203]],
});

/** The validation error of the forecast that nothing changes. */
function persistence({ runs, options }: Setup): number {
  const { validationEnds, trainEnds, steps } = options;
  let squares = 0;
  let count = 0;
  runs.forEach((run, r) => {
    for (let i = trainEnds[r] - 1; i + steps < validationEnds[r]; i++) {
      for (let s = 1; s <= steps; s++) {
        const truth = increment(run, 1, i, 0, s, validationEnds[r]);
        if (Number.isNaN(truth)) continue;
        squares += truth ** 2;
        count++;
      }
    }
  });
  return squares / count;
}

const training = { epochs: 12, chunk: 10, learningRate: 0.01 };
const common: SetupOptions = { hidden: 6, steps: 3, averages: [SEASON, 7 * SEASON], training };
const window = Array.from({ length: SEASON }, (_, i) => i + 1);

describe('a noisy wave is learnt', () => {
  test.each<[string, SetupOptions, number]>([
    ['a feedforward net over a window', { cell: 'feedforward', lags: window }, 0.15],
    ['a plain cell', { cell: 'rnn' }, 0.25],
    ['an LSTM', { cell: 'lstm' }, 0.3],
    ['a GRU', { cell: 'gru' }, 0.25],
    ['a plain cell with a state a phase', { cell: 'rnn', phases: SEASON }, 0.15],
    ['an LSTM with a state a phase', { cell: 'lstm', phases: SEASON }, 0.15],
    ['a GRU with a state a phase', { cell: 'gru', phases: SEASON }, 0.15],
    ['an LSTM of two layers', { cell: 'lstm', layers: 2, phases: SEASON }, 0.15],
    ['an LSTM that answers at the end of a segment', { cell: 'lstm', segment: 14 }, 0.5],
    ['an LSTM that sees its season', { cell: 'lstm', lags: [1, SEASON] }, 0.3],
  ])('by %s, to a part of the error of persistence', (_, options, share) => {
    const setup = setUp(dataset, { ...common, ...options });
    const { history, validation } = train(setup);
    const naive = persistence(setup);
    // a new network starts near there (segments end at some of the rows)
    expect(history[0].validation).toBeGreaterThan(0.7 * naive);
    expect(history[0].validation).toBeLessThan(1.3 * naive);
    expect(validation).toBeLessThan(share * naive);
    expect(history[12].loss).toBeLessThan(0.6 * history[1].loss);
  });

  test.each(['mse', 'mae', 'huber'] as const)('under the %s loss', (loss) => {
    const setup = setUp(dataset, { ...common, phases: SEASON, training: { ...training, loss } });
    expect(train(setup).validation).toBeLessThan(0.2 * persistence(setup));
  });

  test.each(['adam', 'adamw'] as const)('by %s at a constant rate', (optimizer) => {
    const changed = { ...training, optimizer, schedule: 'constant' } as const;
    const setup = setUp(dataset, { ...common, phases: SEASON, training: changed });
    expect(train(setup).validation).toBeLessThan(0.2 * persistence(setup));
  });
});

test.each([
  [0.1, 0.5, 0.9],
  [0.05, 0.25, 0.5, 0.75],
])('quantiles are learnt: the truth lies below each its share of the time, %j %j %j', (...quantiles) => {
  const changed = { ...training, loss: 'mae', epochs: 24 } as const;
  const setup = setUp(dataset, { ...common, quantiles, phases: SEASON, training: changed });
  // those of the last epoch: validation chooses by the squared error
  const parameters = createParameters(kernel, setup.topology);
  parameters.flat.set(trainWatched(setup).parameters[23]);
  const { trainEnds, steps } = setup.options;
  const below = quantiles.map(() => 0);
  let count = 0;
  setup.runs.forEach((run, r) => {
    const y = Float32Array.from(forwardRun(kernel, setup, parameters, run).y);
    const width = steps * quantiles.length;
    for (let i = 2 * SEASON; i + 1 < trainEnds[r]; i++) {
      const truth = increment(run, 1, i, 0, 1, trainEnds[r]);
      if (Number.isNaN(truth)) continue;
      const swings = Float32Array.of(run.widths[i] * run.widths[i]);
      const own = y.slice(i * width, (i + 1) * width);
      spreadQuantiles(own, 0, width, quantiles.length, quantiles.indexOf(0.5), swings, 0);
      count++;
      quantiles.forEach((_, q) => {
        if (truth < own[q]) below[q]++;
      });
    }
  });
  quantiles.forEach((level, q) => {
    expect(Math.abs(below[q] / count - level)).toBeLessThan(0.08);
  });
});
