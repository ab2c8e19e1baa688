import { canonicalImportSpec, type ImportSpec } from '../config/import-spec.ts';
import { checkArchitecture, checkInput, checkOutput } from '../model/limits.ts';
import { type FloatTensor, gateCount, type Head, type Layer, type Model, unproven } from '../model/model.ts';
import { inputSize } from '../signal/inputs.ts';
import { largestTimeMs } from '../signal/times.ts';
import { ImportError } from './import-error.ts';
import type { Network, RecurrentLayer } from './network.ts';

interface Origin {
  /** SHA-256 of the file of weights, hex. */
  readonly sha256: string;
  /** Where the data ends that the model was calibrated on: what comes later is test. 0 without any. */
  readonly calibratedUntilMs: number;
}

/** The float32 model of an imported network, still without calibration and golden vectors.
 * @throws ImportError when the network and the spec do not fit, ModelFormatError when no file could hold them */
export function toModel(network: Network, spec: ImportSpec, { sha256, calibratedUntilMs }: Origin): Model {
  const { cell, layers } = network;
  const hidden = Math.max(...layers.map((layer) => layer.hidden));
  const input = inputOf(spec);
  const output = outputOf(spec, network);
  const architecture = { cell, layers: layers.length, hidden, phases: 1, segment: spec.segment };
  checkInput(input);
  checkOutput(output, input);
  checkArchitecture(architecture, input);
  checkFeatures(network, spec, inputSize(input));
  const inputs = inputSize(input);
  return {
    ...{ name: spec.name, version: spec.version, release: spec.release, createdMs: 0, fit: true },
    ...{ architecture, input, output },
    layers: layers.map((layer, index) => layerOf(layer, cell, hidden, index === 0 ? spec : undefined)),
    head: headOf(network, spec, hidden, inputs),
    training: {
      ...{ recipe: canonicalImportSpec(spec), seed: 0, dataSha256: sha256, metrics: '' },
      // nothing is known of the training data
      ...{ trainEndMs: 0, validationEndMs: calibratedUntilMs, testEndMs: largestTimeMs },
    },
    ...unproven,
  };
}

function inputOf(spec: ImportSpec): Model['input'] {
  const { features, lags, periodMs, season, gapLimit, inputs } = spec;
  return {
    ...{ features: features.length, lags, averages: [], mask: false },
    ...(inputs === 'plain' && { plain: true }),
    ...{ periodMs, season, gapLimit, channels: [] },
    names: features.map(({ name }) => name),
    units: features.map(({ unit }) => unit),
    scalers: Float32Array.from(features.flatMap(({ mean, scale }) => [mean, scale])),
  };
}

/** The head answers steps 1..N of each target. */
function outputOf(spec: ImportSpec, { outputs }: Network): Model['output'] {
  const { targets, horizons, features } = spec;
  const steps = outputs / targets.length;
  const farthest = Math.max(...horizons);
  if (!Number.isInteger(steps)) {
    throw new ImportError(
      `the head has ${outputs} outputs, expected a multiple of the ${targets.length} targets`,
    );
  }
  if (steps < farthest) {
    throw new ImportError(
      `the head has ${outputs} outputs, the steps 1..${steps} of ${targets.join(', ')}, expected all steps up to ` +
        `${farthest}, the farthest of the horizons in the spec`,
    );
  }
  const names = features.map(({ name }) => name);
  return {
    targets: targets.map((name) => names.indexOf(name)),
    ...{ steps, horizons, quantiles: [] },
    ...(spec.outputs === 'plain' && { plain: true }),
  };
}

function checkFeatures({ layers }: Network, { features, lags, inputs }: ImportSpec, expected: number): void {
  const found = layers[0].inputs;
  if (found === expected) return;
  const lagged = inputs === 'plain' ? '' : ` x ${lags.length} ${lags.length === 1 ? 'lag' : 'lags'}`;
  throw new ImportError(
    `the network takes ${found} inputs a frame, expected ${expected}: ${features.length} ` +
      `${features.length === 1 ? 'feature' : 'features'}${lagged} of the spec (${features.map(({ name }) => name).join(', ')})`,
  );
}

function tensor(values: Float32Array, ...shape: number[]): FloatTensor {
  return { kind: 'float32', shape, values };
}

/** A layer of as many units as the widest has: those without weights stay at exactly 0, in every cell.
 * @param spec of the lowest layer, whose inputs it describes */
function layerOf(layer: RecurrentLayer, cell: Network['cell'], hidden: number, spec?: ImportSpec): Layer {
  const gates = gateCount[cell];
  const own = layer.hidden;
  const columns = spec === undefined ? hidden : layer.inputs;
  const padRows = (values: Float32Array, width: number, wanted: number) =>
    padBlocks(values, { blocks: gates, rows: own, columns: width }, { rows: hidden, columns: wanted });
  // ours look from the past to now, x[t-lag] - x[t]
  const sign = spec?.inputs === 'differences' ? -1 : 1;
  const recurrentBias = padRows(layer.recurrentBias, 1, 1);
  const candidate = 2 * hidden;
  return {
    inputWeights: tensor(
      padRows(layer.inputWeights, layer.inputs, columns).map((weight) => sign * weight),
      gates * hidden,
      columns,
    ),
    recurrentWeights: tensor(padRows(layer.recurrentWeights, own, hidden), gates * hidden, hidden),
    bias: tensor(
      padRows(layer.inputBias, 1, 1).map((bias, j) =>
        // the GRU's candidate keeps the second half inside the product with its reset gate
        cell === 'gru' && j >= candidate ? bias : bias + recurrentBias[j],
      ),
      1,
      gates * hidden,
    ),
    ...(cell === 'gru' && { recurrentBias: tensor(recurrentBias.slice(candidate), hidden) }),
    inputLimit: 0,
    hiddenLimit: 0,
  };
}

interface Block {
  readonly rows: number;
  readonly columns: number;
}

/** Matrices one below the other, each with zeros to its right and below. */
function padBlocks(values: Float32Array, from: Block & { readonly blocks: number }, to: Block): Float32Array {
  const padded = new Float32Array(from.blocks * to.rows * to.columns);
  for (let block = 0; block < from.blocks; block++) {
    for (let row = 0; row < from.rows; row++) {
      const at = (block * from.rows + row) * from.columns;
      padded.set(values.subarray(at, at + from.columns), (block * to.rows + row) * to.columns);
    }
  }
  return padded;
}

/** The rows of the head, brought into our order: all steps of the first target, then of the next. */
function headOf({ head, outputs, layers }: Network, spec: ImportSpec, hidden: number, inputs: number): Head {
  const own = layers[layers.length - 1].hidden;
  const targets = spec.targets.length;
  const steps = outputs / targets;
  const rowOf = (o: number) =>
    spec.order === 'target-step' ? o : (o % steps) * targets + Math.floor(o / steps);
  const weights = new Float32Array(outputs * hidden);
  for (let o = 0; o < outputs; o++)
    weights.set(head.weights.subarray(rowOf(o) * own, (rowOf(o) + 1) * own), o * hidden);
  return {
    weights: tensor(weights, outputs, hidden),
    bias: tensor(
      head.bias.map((_, o) => head.bias[rowOf(o)]),
      outputs,
    ),
    skip: tensor(new Float32Array(outputs * inputs), outputs, inputs),
  };
}
