import type { BaselineScores } from '../../src/evaluate/baselines.ts';
import type { CardData, Method } from '../../src/evaluate/card-data.ts';
import type { Metrics, Score, StreamScore } from '../../src/evaluate/score.ts';

const hourMs = 3_600_000;
const steps = 24;
const horizons = [1, 6, 24];
const streams = ['EWR', 'JFK', 'LGA'];
const startSlot = Date.UTC(2013, 0, 1) / hourMs;

/** Always the same noise, between -1 and 1. */
function noise(i: number): number {
  const value = Math.sin(i * 12.9898 + 78.233) * 43758.5453;
  return 2 * (value - Math.floor(value)) - 1;
}

/** MAE of a step: what it is at one hour, and how it grows. */
const growth: Readonly<Record<Method, (step: number) => number>> = {
  served: (step) => 1.05 * step ** 0.43,
  float: (step) => 1.049 * step ** 0.43,
  persistence: (step) => 1.135 * step ** 0.62 - 0.06 * step,
  seasonal: () => 6.45,
  ridge: (step) => 1.064 * step ** 0.445,
};

function metricsOf(mae: number): Metrics {
  const rmse = mae * 1.33;
  return { mse: rmse * rmse, mae, rmse, mase: mae / 1.13 };
}

function streamScore(method: Method, factor: number): StreamScore {
  const mean = (h: number) => {
    let sum = 0;
    for (let step = 1; step <= h; step++) sum += growth[method](step);
    return (factor * sum) / h;
  };
  const withCoverage = (metrics: Metrics): Metrics => {
    if (method !== 'served' && method !== 'seasonal') return metrics;
    const { mae } = metrics;
    const coverage80 = method === 'served' ? 0.792 : 0.713;
    return { ...metrics, coverage80, winkler80: 4.6 * mae, pinball: 0.33 * mae, crps: 0.66 * mae };
  };
  return {
    n: Object.fromEntries(horizons.map((h) => [h, 5230 - 3 * h])),
    horizons: Object.fromEntries(horizons.map((h) => [h, withCoverage(metricsOf(mean(h)))])),
    at: Object.fromEntries(horizons.map((h) => [h, metricsOf(factor * growth[method](h))])),
  };
}

function scoreOf(method: Method): Score {
  const named = streams.map((name, i) => [name, streamScore(method, 0.97 + 0.03 * i)] as const);
  return { ...streamScore(method, 1), streams: Object.fromEntries(named) };
}

/** Three weather stations that never were: every number is made up, and every one could be true. */
export function inventCard(): CardData {
  const temperature = (i: number) =>
    52 + 9 * Math.sin(((i - 9) / 24) * 2 * Math.PI) + 7 * Math.sin(i / 55) + noise(i);
  const windowFrom = startSlot + 7200;
  const windowTimes = Array.from({ length: 24 * 7 }, (_, i) => (windowFrom + i) * hourMs);
  const truth = windowTimes.map((_, i) => (i > 60 && i < 66 ? Number.NaN : temperature(i)));
  const off = (seed: number, size: number) =>
    windowTimes.map((_, i) => temperature(i) + size * Math.sin(i / 11 + seed));
  const fanTimes = Array.from({ length: 2 * steps + 1 }, (_, i) => (windowFrom + 30 + i) * hourMs);
  const ahead = (value: (step: number) => number) =>
    fanTimes.map((_, i) => (i <= steps ? Number.NaN : value(i - steps)));
  const now = 30 + steps;
  const methods: readonly Method[] = ['served', 'float', 'persistence', 'seasonal', 'ridge'];
  const present = new Uint8Array(8735).fill(1);
  for (let i = 100; i < 126; i++) present[i] = 0;
  const baselines: BaselineScores = {
    persistence: scoreOf('persistence'),
    seasonal: scoreOf('seasonal'),
    ridge: scoreOf('ridge'),
    ridgeVariants: {},
  };
  const blocks = Array.from({ length: 40 }, (_, i) => (i + 1) * 250);

  return {
    model: {
      ...{ name: 'nyc-weather', version: '1.0.0', release: 1, fit: true },
      architecture: { cell: 'lstm', layers: 1, hidden: 32, phases: 24, segment: 0 },
      input: {
        ...{
          features: 3,
          lags: Array.from({ length: 24 }, (_, i) => i + 1),
          averages: [24, 168],
          mask: false,
        },
        ...{ periodMs: hourMs, season: 24, gapLimit: 24, names: ['temp', 'dewp', 'pressure'] },
        ...{ units: ['°F', '°F', 'mbar'], channels: [], scalers: new Float32Array(6) },
      },
      output: { targets: [0], steps, horizons, quantiles: [0.1, 0.5, 0.9] },
      training: {
        recipe: 'name: nyc-weather\nversion: 1.0.0\ndata: weather.csv\ntarget: temp\n',
        ...{ seed: 1, dataSha256: 'd'.repeat(64), metrics: '' },
        trainEndMs: (startSlot + 5241) * hourMs,
        validationEndMs: (startSlot + 6988) * hourMs,
        testEndMs: (startSlot + 8735) * hourMs,
      },
    },
    id: 'a'.repeat(64),
    ...{ parameters: { cells: 14_208, head: 2840 }, stateBytes: 7012, multiplyAdds: 16_672 },
    fileBytes: { served: 31_420, float: 71_908 },
    dataFile: 'weather.csv',
    dataset: {
      series: streams.map((stream) => {
        return { stream, firstSlot: startSlot, length: 8735, values: new Float32Array(0), present };
      }),
      features: ['temp', 'dewp', 'pressure'],
      counts: {
        rows: 26_115,
        applied: 75_603,
        merged: 0,
        duplicate: 9,
        missing: 2733,
        late: 0,
        malformed: 0,
      },
      sha256: 'd'.repeat(64),
    },
    split: {
      ...{ start: startSlot, trainEnd: startSlot + 5241 },
      ...{ validationEnd: startSlot + 6988, end: startSlot + 8735 },
    },
    scores: { int8: scoreOf('served'), float: scoreOf('float'), baselines },
    validation: {
      horizons: Object.fromEntries(horizons.map((h) => [h, { ...metricsOf(2), coverage80: 0.8 }])),
    },
    ridgePicks: { 1: 'all12', 6: 'all12', 24: 'own336' },
    errorByStep: Object.fromEntries(
      methods.map((method) => [method, Array.from({ length: steps }, (_, i) => growth[method](i + 1))]),
    ),
    window: {
      ...{ stream: 'JFK', target: 0, horizon: 24, timesMs: windowTimes, truth },
      forecasts: {
        served: off(0, 2.2),
        persistence: windowTimes.map((_, i) => temperature(i - 24)),
        ridge: off(2, 3),
      },
    },
    fan: {
      ...{ stream: 'JFK', target: 0, madeMs: fanTimes[steps], timesMs: fanTimes },
      truth: fanTimes.map((_, i) => temperature(30 + i)),
      forecasts: {
        served: ahead((step) => temperature(now + step) + 1.3 * Math.sin(step / 7)),
        persistence: ahead(() => temperature(now)),
        seasonal: ahead((step) => temperature(now + step - 24)),
        ridge: ahead((step) => temperature(now + step) + 2.2 * Math.sin(step / 6 + 3)),
      },
      low: ahead((step) => temperature(now + step) - 0.8 - 1.3 * Math.sqrt(step)),
      high: ahead((step) => temperature(now + step) + 0.8 + 1.4 * Math.sqrt(step)),
    },
    training: [
      {
        history: Array.from({ length: 51 }, (_, epoch) => ({
          epoch,
          loss: epoch === 0 ? Number.NaN : 0.031 + 0.05 * Math.exp(-epoch / 6) + 0.0008 * noise(epoch),
          validation: 0.068 + 0.09 * Math.exp(-epoch / 5) + 0.0012 * noise(epoch + 99),
        })),
        ...{ bestEpoch: 41, loss: 'huber' },
      },
    ],
    quantization: {
      ...{ cost: 0.0004, wideLayers: [false], rounding: 'data' },
      drift: {
        steps: blocks,
        hidden: blocks.map((_, i) => 0.0031 + 0.0006 * noise(i)),
        output: blocks.map((_, i) => 0.0018 + 0.0004 * noise(i + 50)),
        ...{ hiddenOverall: 0.0032, outputOverall: 0.0018, layers: [{ hidden: 0.0032, alone: 0.0018 }] },
      },
    },
  };
}
