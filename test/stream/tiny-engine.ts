import { createArena } from '../../src/engine/arena.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createSession } from '../../src/engine/session.ts';
import { purpose, uniform } from '../../src/math/random.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { type FloatTensor, type Model, unproven } from '../../src/model/model.ts';

export const hourMs = 3_600_000;
const features = ['temp', 'pressure'];
/** 2013-10-20T00:00:00Z */
export const startMs = Date.UTC(2013, 9, 20);

const hidden = 4;
const steps = 3;
// two features: lags 1 and 2 and one average each
const inputs = 6;

/** A float LSTM with random weights in the real engine: small, and different for different pasts. */
export function createTinyEngine(changes: Partial<Model> = {}): Engine {
  const model: Model = { ...tinyModel(), ...changes };
  return {
    id: 'ab'.repeat(32),
    model,
    openSession: (stream = '') => createSession(model, stream),
    createArena: () => createArena(model),
  };
}

/** The bytes of its model file, golden vectors and all. */
export function writeTinyModel(changes: Partial<Model> = {}): Uint8Array {
  const { model, openSession } = createTinyEngine(changes);
  const session = openSession();
  const frames = Float32Array.of(50, 1000, 51, 1001, Number.NaN, 1002, 49, 999);
  const timesMs = Float64Array.from({ length: 4 }, (_, i) => startMs + i * model.input.periodMs);
  const outputs = Array.from(timesMs, (timeMs, i) => {
    const result = session.step({ timeMs, values: frames.subarray(2 * i, 2 * i + 2) });
    return result.kind === 'forecast' ? [...result.values] : Array(steps).fill(0);
  });
  const golden = {
    stream: '',
    timesMs,
    frames,
    outputs: Float32Array.from(outputs.flat()),
    state: session.state(),
  };
  return writeModelFile({ ...model, golden });
}

function tinyModel(): Model {
  return {
    name: 'tiny',
    version: '1.0.0',
    release: 1,
    createdMs: 0,
    fit: true,
    architecture: { cell: 'lstm', layers: 1, hidden, phases: 2, segment: 0 },
    input: {
      features: 2,
      lags: [1, 2],
      averages: [2],
      mask: false,
      periodMs: hourMs,
      season: 2,
      gapLimit: 3,
      names: features,
      units: ['F', 'hPa'],
      channels: [],
      scalers: Float32Array.of(50, 10, 1000, 5),
    },
    output: { targets: [0], steps, horizons: [1, 3], quantiles: [] },
    layers: [
      {
        inputWeights: random(1, 4 * hidden, inputs),
        recurrentWeights: random(2, 4 * hidden, hidden),
        bias: random(3, 1, 4 * hidden),
        inputLimit: 0,
        hiddenLimit: 0,
      },
    ],
    head: {
      weights: random(4, steps, hidden),
      bias: random(5, 1, steps, [steps]),
      skip: random(6, steps, inputs),
    },
    calibration: { levels: [0.1, 0.9], residuals: Float32Array.of(-1, -2, -3, 1, 2, 3) },
    training: {
      recipe: '',
      seed: 1,
      dataSha256: '',
      trainEndMs: startMs,
      validationEndMs: startMs,
      testEndMs: startMs,
      metrics: '{}',
    },
    golden: unproven.golden,
  };
}

function random(seed: number, rows: number, columns: number, shape = [rows, columns]): FloatTensor {
  const values = Float32Array.from(
    { length: rows * columns },
    (_, i) => uniform(seed, purpose.weights, 0, 0, i) - 0.5,
  );
  return { kind: 'float32', shape, values };
}
