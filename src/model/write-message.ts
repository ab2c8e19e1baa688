import { cellstream } from '#proto/model.js';
import type { CellKind, Model } from './model.ts';
import { writeFloats, writeTensor } from './tensors.ts';

const cellNumbers: Readonly<Record<CellKind, cellstream.Cell>> = {
  none: cellstream.Cell.NONE,
  feedforward: cellstream.Cell.FEEDFORWARD,
  rnn: cellstream.Cell.RNN,
  lstm: cellstream.Cell.LSTM,
  gru: cellstream.Cell.GRU,
};

/** The message of a model, without the format version. */
export function modelMessage(model: Model): cellstream.IModel {
  const { architecture, input, head, highway, calibration, golden } = model;
  return {
    name: model.name,
    version: model.version,
    release: model.release,
    createdMs: model.createdMs,
    fit: model.fit,
    architecture: {
      cell: cellNumbers[architecture.cell],
      hidden: architecture.hidden,
      phases: architecture.phases,
      segment: architecture.segment,
    },
    input: {
      periodMs: input.periodMs,
      season: input.season,
      gapLimit: input.gapLimit,
      features: input.names.map((name, i) => ({ name, unit: input.units[i] })),
      lags: [...input.lags],
      averages: [...input.averages],
      mask: input.mask,
      channels: [...input.channels],
      scalers: writeFloats(input.scalers),
      ...(input.combine && { averaged: true }),
      ...(input.shared && { shared: true }),
      ...(input.plain && { plain: true }),
      ...(input.fill && { fill: writeFloats(input.fill) }),
      ...(input.streams && { streams: [...input.streams] }),
      ...(input.spread && { spread: writeFloats(input.spread) }),
      ...(input.swing && { swing: input.swing.constant, swingLevels: writeFloats(input.swing.levels) }),
    },
    output: {
      targets: [...model.output.targets],
      steps: model.output.steps,
      horizons: [...model.output.horizons],
      quantiles: [...model.output.quantiles],
      ...(model.output.plain && { plain: true }),
    },
    layers: model.layers.map((layer) => ({
      inputWeights: writeTensor(layer.inputWeights),
      ...(layer.recurrentWeights && { recurrentWeights: writeTensor(layer.recurrentWeights) }),
      bias: writeTensor(layer.bias),
      ...(layer.recurrentBias && { recurrentBias: writeTensor(layer.recurrentBias) }),
      inputLimit: layer.inputLimit,
      hiddenLimit: layer.hiddenLimit,
    })),
    ...(head && {
      head: {
        weights: writeTensor(head.weights),
        bias: writeTensor(head.bias),
        skip: writeTensor(head.skip),
      },
    }),
    ...(highway && {
      highway: {
        allFeatures: highway.allFeatures,
        window: highway.window,
        weights: writeTensor(highway.weights),
        bias: writeTensor(highway.bias),
      },
    }),
    calibration: { levels: [...calibration.levels], residuals: writeFloats(calibration.residuals) },
    training: { ...model.training },
    golden: {
      stream: golden.stream,
      timesMs: writeFloats(golden.timesMs),
      frames: writeFloats(golden.frames),
      outputs: writeFloats(golden.outputs),
      state: writeFloats(golden.state),
    },
  };
}
