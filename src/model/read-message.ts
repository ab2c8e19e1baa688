import type { cellstream } from '#proto/model.js';
import { highwaySize, inputSize } from '../signal/inputs.ts';
import { ModelFormatError } from './format-error.ts';
import {
  checkArchitecture,
  checkGoldenTimes,
  checkHighway,
  checkInput,
  checkIntegerBounds,
  checkOutput,
  checkStack,
  checkTime,
} from './limits.ts';
import {
  type Architecture,
  type Calibration,
  type CellKind,
  type Golden,
  gateCount,
  type Head,
  type Highway,
  type Layer,
  type Model,
  type ModelInput,
  type ModelOutput,
  outputSize,
  stateSize,
} from './model.ts';
import { checkFinite, readFloat32, readFloat64, readFloatTensor, readMatrix } from './tensors.ts';

const cellKinds: readonly CellKind[] = ['none', 'feedforward', 'rnn', 'lstm', 'gru'];

/** A part that must be there. */
function required<T>(part: T | null | undefined, what: string): T {
  if (part === null || part === undefined) throw new ModelFormatError(`no ${what}, expected one`);
  return part;
}

function expectLength(found: number, expected: number, what: string): void {
  if (found !== expected) throw new ModelFormatError(`${what}: ${found} values, expected ${expected}`);
}

/** Checks a decoded message and makes the model of it. Sizes are bounded before anything is allocated. */
export function readModelMessage(message: cellstream.Model): Model {
  const architecture = readArchitecture(message);
  const input = readInput(required(message.input, 'input'));
  const output = readOutput(required(message.output, 'output'), input);
  checkArchitecture(architecture, input);
  const layers = message.layers.map((layer, index) => readLayer(layer, index, architecture, input));
  checkStack(layers);
  const head = architecture.cell === 'none' ? undefined : readHead(message, architecture, input, output);
  const highway = message.highway ? readHighway(message.highway, input, output) : undefined;
  if (head === undefined && highway === undefined)
    throw new ModelFormatError('cell none without a highway, expected one');
  return {
    name: message.name,
    version: message.version,
    release: message.release,
    createdMs: checkTime(message.createdMs, 'created at'),
    fit: message.fit,
    architecture,
    input,
    output,
    layers,
    ...(head && { head }),
    ...(highway && { highway }),
    calibration: readCalibration(required(message.calibration, 'calibration'), output),
    training: readTraining(required(message.training, 'training record')),
    golden: readGolden(required(message.golden, 'golden vectors'), architecture, input, output),
  };
}

function readArchitecture({ architecture, layers }: cellstream.Model): Architecture {
  const { cell, hidden, phases, segment } = required(architecture, 'architecture');
  const kind = cellKinds[cell ?? 0];
  if (kind === undefined) throw new ModelFormatError(`cell ${cell}, expected 0..${cellKinds.length - 1}`);
  return {
    cell: kind,
    layers: layers.length,
    hidden: hidden ?? 0,
    phases: phases ?? 0,
    segment: segment ?? 0,
  };
}

function readInput(message: cellstream.IInput): ModelInput {
  const features = message.features ?? [];
  const input: ModelInput = {
    features: features.length,
    lags: message.lags ?? [],
    averages: message.averages ?? [],
    mask: message.mask ?? false,
    ...(message.plain && { plain: true }),
    periodMs: message.periodMs ?? 0,
    season: message.season ?? 0,
    gapLimit: message.gapLimit ?? 0,
    names: features.map(({ name }) => name ?? ''),
    units: features.map(({ unit }) => unit ?? ''),
    channels: message.channels ?? [],
    scalers: readFloat32(message.scalers ?? new Uint8Array(0), 'scalers'),
    ...(message.averaged && { combine: 'mean' }),
    ...(message.shared && { shared: true }),
    ...(message.fill?.length && { fill: readFloat32(message.fill, 'fill') }),
    ...(message.streams?.length && { streams: new Set(message.streams) }),
    ...(message.spread?.length && { spread: readFloat32(message.spread, 'spread') }),
    ...(message.swing && {
      swing: {
        constant: message.swing,
        levels: readFloat32(message.swingLevels ?? new Uint8Array(0), 'swing levels'),
      },
    }),
  };
  checkInput(input);
  return input;
}

function readOutput(message: cellstream.IOutput, input: ModelInput): ModelOutput {
  const output: ModelOutput = {
    targets: message.targets ?? [],
    steps: message.steps ?? 0,
    horizons: message.horizons ?? [],
    // a level such as 0.1 is stored as float32; six digits bring it back
    quantiles: (message.quantiles ?? []).map((level) => Number(level.toPrecision(6))),
    ...(message.plain && { plain: true }),
  };
  checkOutput(output, input);
  return output;
}

function readLayer(
  message: cellstream.ILayer,
  index: number,
  architecture: Architecture,
  input: ModelInput,
): Layer {
  const { cell, hidden } = architecture;
  const rows = gateCount[cell] * hidden;
  const what = `layer ${index}`;
  const columns = index === 0 ? inputSize(input) : hidden;
  const inputWeights = readMatrix(message.inputWeights, [rows, columns], `${what} input weights`);
  const biases = index === 0 ? 1 + input.channels.length : 1;
  const layer: Layer = {
    inputWeights,
    ...(cell !== 'feedforward' && {
      recurrentWeights: readMatrix(message.recurrentWeights, [rows, hidden], `${what} recurrent weights`),
    }),
    bias: readFloatTensor(message.bias, [biases, rows], `${what} bias`),
    ...(cell === 'gru' && {
      recurrentBias: readFloatTensor(message.recurrentBias, [hidden], `${what} recurrent bias`),
    }),
    inputLimit: message.inputLimit ?? 0,
    hiddenLimit: message.hiddenLimit ?? 0,
  };
  checkIntegerBounds(layer, what, cell);
  return layer;
}

function readHead(
  message: cellstream.Model,
  { hidden }: Architecture,
  input: ModelInput,
  output: ModelOutput,
): Head {
  const { weights, bias, skip } = required(message.head, 'head');
  const rows = outputSize(output);
  return {
    weights: readFloatTensor(weights, [rows, hidden], 'head weights'),
    bias: readFloatTensor(bias, [rows], 'head bias'),
    skip: readFloatTensor(skip, [rows, inputSize(input)], 'head skip'),
  };
}

function readHighway(message: cellstream.IHighway, input: ModelInput, output: ModelOutput): Highway {
  const allFeatures = message.allFeatures ?? false;
  const window = message.window ?? 0;
  const spec = { allFeatures, window, targets: output.targets };
  checkHighway(spec, input);
  const groups = message.bias?.shape?.[0] ?? 0;
  if (groups !== 1 && groups !== 1 + input.channels.length) {
    throw new ModelFormatError(`highway with ${groups} groups, expected 1 or ${1 + input.channels.length}`);
  }
  const rows = outputSize(output);
  const blocks = allFeatures ? 1 : output.targets.length;
  const columns = highwaySize(spec, input.features) / blocks;
  return {
    allFeatures,
    window,
    weights: readFloatTensor(message.weights, [groups, rows, columns], 'highway weights'),
    bias: readFloatTensor(message.bias, [groups, rows], 'highway bias'),
  };
}

function readCalibration({ levels, residuals }: cellstream.ICalibration, output: ModelOutput): Calibration {
  const rounded = (levels ?? []).map((level) => Number(level.toPrecision(6)));
  if (rounded.some((level, i) => !(level > 0 && level < 1) || level <= (rounded[i - 1] ?? 0))) {
    throw new ModelFormatError(
      `calibration levels ${rounded.join(', ')}, expected rising ones between 0 and 1`,
    );
  }
  const values = readFloat32(residuals ?? new Uint8Array(0), 'calibration residuals');
  expectLength(values.length, rounded.length * output.targets.length * output.steps, 'calibration residuals');
  checkFinite(values, 'calibration residuals');
  return { levels: rounded, residuals: values };
}

function readTraining(message: cellstream.ITraining): Model['training'] {
  return {
    recipe: message.recipe ?? '',
    seed: message.seed ?? 0,
    dataSha256: message.dataSha256 ?? '',
    trainEndMs: checkTime(message.trainEndMs ?? 0, 'training ends at'),
    validationEndMs: checkTime(message.validationEndMs ?? 0, 'validation ends at'),
    testEndMs: checkTime(message.testEndMs ?? 0, 'test ends at'),
    metrics: message.metrics ?? '',
  };
}

function readGolden(
  message: cellstream.IGolden,
  architecture: Architecture,
  input: ModelInput,
  output: ModelOutput,
): Golden {
  const golden: Golden = {
    stream: message.stream ?? '',
    timesMs: readFloat64(message.timesMs ?? new Uint8Array(0), 'golden times'),
    frames: readFloat32(message.frames ?? new Uint8Array(0), 'golden frames'),
    outputs: readFloat32(message.outputs ?? new Uint8Array(0), 'golden outputs'),
    state: readFloat32(message.state ?? new Uint8Array(0), 'golden state'),
  };
  const count = golden.timesMs.length;
  checkGoldenTimes(golden.timesMs, input.periodMs);
  expectLength(golden.frames.length, count * input.features, 'golden frames');
  expectLength(golden.outputs.length, count * outputSize(output), 'golden outputs');
  const floats = architecture.phases * architecture.layers * stateSize(architecture);
  expectLength(golden.state.length, floats, 'golden state');
  // frames may have NaN where missing
  checkFinite(golden.outputs, 'golden outputs');
  checkFinite(golden.state, 'golden state');
  return golden;
}
