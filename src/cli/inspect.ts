import type { Engine } from '../engine/engine.ts';
import { integerLimits } from '../model/limits.ts';
import type { InspectArguments, Report, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { loadEngine } from './load-engine.ts';
import { headParameters, layerParameters, multiplyAdds, streamBytes } from './model-size.ts';

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
    wide: model.layers.map(({ hiddenLimit }) => hiddenLimit === integerLimits.wide),
    parameters: layerParameters(model).reduce((sum, count) => sum + count, 0),
    layerParameters: layerParameters(model),
    headParameters: headParameters(model),
    bytes: length,
    streamBytes: streamBytes(model),
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

function describe(summary: Readonly<Record<string, unknown>>, path: string): string {
  const shown = (value: unknown) => {
    if (Array.isArray(value)) return value.join(', ');
    return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value);
  };
  const width = Math.max(...Object.keys(summary).map((name) => name.length));
  const lines = Object.entries(summary).map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}`);
  return `${path}\n\n${lines.join('\n')}`;
}
