import type { Engine } from '../engine/engine.ts';
import { type Model, outputSize, stateSize } from '../model/model.ts';
import { inputSize, layoutPast } from '../signal/inputs.ts';
import type { InspectArguments, Report, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { loadEngine } from './load-engine.ts';
import { formatTable } from './table.ts';

const WARM_UP_STEPS = 500;
const TIMED_STEPS = 2000;

/** What is in a model file, whether this machine computes it right, and how fast. */
export async function runInspect({ model: path }: InspectArguments, _terminal: Terminal): Promise<Report> {
  const { length } = readInputFile(path, 'model');
  // loading proves the golden vectors: a machine that fails throws here
  const engine = await loadEngine(path);
  const { model, id } = engine;
  const { cell, layers, hidden, phases } = model.architecture;
  const stepUs = timeSteps(engine);
  const weights = model.layers[0]?.inputWeights.kind ?? 'float32';
  const summary = {
    ...{ id, name: model.name, version: model.version, release: model.release, fit: model.fit },
    ...{ cell, layers, hidden, phases, weights },
    wide: model.layers[0]?.hiddenLimit === 2047,
    parameters: layerParameters(model).reduce((sum, count) => sum + count, 0),
    layerParameters: layerParameters(model),
    headParameters: headParameters(model),
    bytes: length,
    stateBytes: stateBytes(model),
    multiplyAdds: multiplyAdds(model),
    features: model.input.names,
    targets: model.output.targets.map((target) => model.input.names[target]),
    horizons: model.output.horizons,
    periodMs: model.input.periodMs,
    season: model.input.season,
    goldenFrames: model.golden.timesMs.length,
    selfTest: 'passed',
    stepUs,
  };
  return { summary, text: describe(summary, path) };
}

/** The median time of one step with its scaling, from JavaScript, on this machine. */
function timeSteps({ model, openSession }: Engine): number {
  const session = openSession();
  const { frames } = model.golden;
  const { features, periodMs } = model.input;
  const count = frames.length / features;
  const values = new Float32Array(features);
  const times = new Float64Array(TIMED_STEPS);
  for (let i = 0; i < WARM_UP_STEPS + TIMED_STEPS; i++) {
    const at = (i % count) * features;
    for (let k = 0; k < features; k++) values[k] = frames[at + k];
    const startMs = performance.now();
    session.step({ timeMs: i * periodMs, values });
    if (i >= WARM_UP_STEPS) times[i - WARM_UP_STEPS] = 1000 * (performance.now() - startMs);
  }
  return times.sort()[TIMED_STEPS / 2];
}

/** Weights and bias of each layer: 4(HI + H^2 + H) for an LSTM. A channel's own bias does not count. */
function layerParameters({ layers }: Model): number[] {
  return layers.map(({ inputWeights, recurrentWeights, bias, recurrentBias }) =>
    [inputWeights.shape, recurrentWeights?.shape, bias.shape.slice(1), recurrentBias?.shape]
      .map(sizeOf)
      .reduce((sum, size) => sum + size, 0),
  );
}

/** V, d, S and the highway. */
function headParameters({ head, highway }: Model): number {
  const tensors = [head?.weights, head?.bias, head?.skip, highway?.weights, highway?.bias];
  return tensors.reduce((sum, tensor) => sum + sizeOf(tensor?.shape), 0);
}

function sizeOf(shape: readonly number[] | undefined): number {
  return shape === undefined ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** Bytes that one stream takes: its states and its past. */
function stateBytes(model: Model): number {
  const { architecture, input, highway } = model;
  const states = architecture.phases * architecture.layers * stateSize(architecture);
  return 4 * (states + layoutPast(input, highway?.window).size);
}

/** Multiply-adds of one frame: the cells of one phase, head, skip and highway. */
function multiplyAdds({ layers, head, highway, output, input, architecture }: Model): number {
  const cells = layers.reduce(
    (sum, { inputWeights, recurrentWeights }) =>
      sum + sizeOf(inputWeights.shape) + sizeOf(recurrentWeights?.shape),
    0,
  );
  const rows = outputSize(output);
  const answers = head ? rows * (architecture.hidden + inputSize(input)) : 0;
  return cells + answers + (highway ? sizeOf(highway.weights.shape.slice(1)) : 0);
}

function describe(summary: Readonly<Record<string, unknown>>, path: string): string {
  const shown = (value: unknown) => {
    if (Array.isArray(value)) return value.join(', ');
    return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value);
  };
  const rows = Object.entries(summary).map(([name, value]) => [name, shown(value)]);
  return `${path}\n\n${formatTable(['', ''], rows)}`;
}
