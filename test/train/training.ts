import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { type EpochReport, type TrainerEvents, trainNetwork } from '../../src/train/trainer.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import type { Setup, SetupOptions } from './setup.ts';

/** Two short streams with missing values and a gap. */
export const dataset = syntheticDataset({
  ...{ length: 240, streams: ['a', 'b'], season: 8, noise: 0.3, missing: 0.05 },
  gaps: [[60, 63]],
});

/** One of every kind. */
export const setups: [string, SetupOptions][] = [
  ['lstm, P = 1', { cell: 'lstm' }],
  ['lstm of 2 layers, P = 8', { cell: 'lstm', layers: 2, phases: 8, training: { chunk: 4 } }],
  ['gru, a bias a stream', { cell: 'gru', perStream: true }],
  ['rnn', { cell: 'rnn' }],
  ['feedforward', { cell: 'feedforward', lags: [1, 2, 3, 4] }],
  ['lstm, P = 8, quantiles', { cell: 'lstm', phases: 8, quantiles: [0.1, 0.5, 0.9], training: { chunk: 4 } }],
  ['lstm, output: last', { cell: 'lstm', segment: 6 }],
];

export function withTraining(options: SetupOptions, training: SetupOptions['training']): SetupOptions {
  return { ...options, training: { ...options.training, ...training } };
}

export function train(setup: Setup, events?: TrainerEvents, resumed?: Checkpoint) {
  return trainNetwork(setup.topology, setup.runs, setup.options, events, resumed);
}

/** Trains to the end and keeps the parameters after every epoch. */
export function trainWatched(setup: Setup) {
  const parameters: Float32Array[] = [];
  const trained = train(setup, { onEpoch: (_, now) => parameters.push(Float32Array.from(now.parameters)) });
  return { trained, parameters };
}

/** What a run in one piece and a resumed one must share; time steps count those of one process. */
export function learnt(history: readonly EpochReport[]) {
  return history.map(({ epoch, loss, validation }) => ({ epoch, loss, validation }));
}
