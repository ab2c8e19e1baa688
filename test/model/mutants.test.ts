import { describe, expect, test } from 'vitest';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { ModelFormatError } from '../../src/model/format-error.ts';
import { createDice, createModel, hourMs } from '../fixtures/random-model.ts';
import { mutate, mutationNames } from './mutations.ts';

const files = [
  createModel({ weights: 'int8', phases: 3, lags: [1, 2, 3], averages: [3, 21], channels: ['LGA'] }),
  createModel({
    weights: 'wide',
    layers: 2,
    highway: 'all',
    groups: 'each',
    channels: ['JFK', 'LGA'],
    mask: true,
  }),
  createModel({
    ...{ cell: 'gru', highway: 'own', targets: [1, 0], quantiles: [0.1, 0.5, 0.9] },
    ...{ fill: true, streams: ['JFK', 'LGA'], swing: true },
  }),
  createModel({ weights: 'int8', layers: 2, lags: [], averages: [], plain: true, plainOutput: true }),
].map(writeModelFile);

/** In all; the long suite sets 100,000. */
const cases = Number(process.env.CELLSTREAM_MUTANTS ?? 2_000);
const casesEach = Math.ceil(cases / mutationNames.length);
/** Some damage does not matter, as in a name or in the weights of a channel: those models must run. */
const leastLoaded: Readonly<Record<string, number>> = { 'flipped bits': 10, 'a strange field': 40 };

/** A stream of good, missing and absurd readings.
 * @returns the first answer that is no number */
function stepStreams({ model, openSession }: Engine): number | undefined {
  const readings = [20, 21, Number.NaN, 1e38, 22, -1e5, 23, Number.POSITIVE_INFINITY, 24];
  for (const stream of ['', ...model.input.channels]) {
    const session = openSession(stream);
    for (let i = 0; i < 12; i++) {
      const values = Float64Array.from({ length: model.input.features }, (_, k) => readings[(i + k) % 9]);
      const result = session.step({ timeMs: (380_000 + i) * Math.max(hourMs, model.input.periodMs), values });
      const wrong =
        result.kind === 'forecast' ? result.values.find((value) => !Number.isFinite(value)) : undefined;
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

interface Outcome {
  readonly loaded: boolean;
  readonly bytes: number;
  readonly cpuMs: number;
}

async function tryMutant(mutant: Uint8Array): Promise<Outcome> {
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  let engine: Engine | undefined;
  try {
    engine = await loadModel(mutant);
  } catch (error) {
    if (!(error instanceof ModelFormatError)) throw error;
    // found and expected, or where the decoder gave up
    expect(error.message).toMatch(/expected|cannot be decoded|for \d+ rows|the file says/);
  }
  const cpuMs = process.cpuUsage(start).user / 1000;
  const after = process.memoryUsage();
  if (engine) expect(stepStreams(engine)).toBeUndefined();
  return {
    loaded: engine !== undefined,
    // garbage included; a collection in between makes it less, never more
    bytes: after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers,
    cpuMs,
  };
}

describe(`${mutationNames.length * casesEach} mutated files`, () => {
  test.each(mutationNames)(
    'with %s load and run, or are refused, in time and within their size',
    async (name) => {
      const dice = createDice(mutationNames.indexOf(name));
      const outcomes: Outcome[] = [];
      for (let i = 0; i < casesEach; i++) {
        const [file, other] = [files[i % files.length], files[(i + 1) % files.length]];
        const mutant = mutate(name, file, dice, other);
        try {
          outcomes.push(await tryMutant(mutant));
        } catch (error) {
          throw new Error(`mutant ${i}: ${error}`, { cause: error });
        }
      }
      const sizes = files.map((file) => file.length);
      expect(Math.max(...outcomes.map(({ bytes }) => bytes))).toBeLessThan(32 * Math.max(...sizes) + 32e6);
      expect(Math.max(...outcomes.map(({ cpuMs }) => cpuMs))).toBeLessThan(2000);
      const loaded = outcomes.filter((outcome) => outcome.loaded).length;
      expect(loaded).toBeGreaterThanOrEqual(leastLoaded[name] ?? 0);
      expect(loaded).toBeLessThan(casesEach / 2);
    },
    Math.max(60_000, 20 * cases),
  );
});
