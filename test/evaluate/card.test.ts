import { describe, expect, test } from 'vitest';
import { renderCard } from '../../src/evaluate/card.ts';
import type { CardData } from '../../src/evaluate/card-data.ts';
import { errorText, span, verdict } from '../../src/evaluate/card-text.ts';
import type { Score } from '../../src/evaluate/score.ts';
import { inventCard } from './invented-card.ts';

const card = inventCard();

function readme(data: CardData): string {
  return renderCard(data)[0].text;
}

/** The cells of the row that begins with `start`, in the first table that has one. */
function row(text: string, start: string): string[] {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`| ${start} |`)) ?? '';
  return line
    .split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);
}

/** The score with the model's MSE over steps 1..h so many times as large. */
function withMse(data: CardData, factors: Readonly<Record<number, number>>): CardData {
  const horizons = Object.fromEntries(
    Object.entries(data.scores.int8.horizons).map(([h, metrics]) => {
      return [h, { ...metrics, mse: metrics.mse * (factors[Number(h)] ?? 1) }];
    }),
  );
  const int8: Score = { ...data.scores.int8, horizons };
  return { ...data, scores: { ...data.scores, int8 } };
}

describe('a card', () => {
  test('is a README and five plots, the same for the same data', () => {
    const files = renderCard(card);
    expect(files.map(({ file }) => file)).toEqual([
      'README.md',
      'horizons.svg',
      'forecast.svg',
      'fan.svg',
      'quantization.svg',
      'loss.svg',
    ]);
    expect(renderCard(inventCard())).toEqual(files);
    for (const { file, text } of files) {
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
      if (file !== 'README.md') expect(text).toMatch(/^<svg /);
    }
  });

  test('shows every plot that it has, and no other', () => {
    const shown = [...readme(card).matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, file]) => file);
    expect(shown.sort()).toEqual(['fan.svg', 'forecast.svg', 'horizons.svg', 'loss.svg', 'quantization.svg']);
  });

  test('says what the model is', () => {
    expect(readme(card)).toContain(
      'An LSTM of 32 units, 24 interleaved states a stream in int8. It forecasts `temp` 1 h, 6 h and 24 h ahead from ' +
        '`temp`, `dewp` and `pressure`, in frames of 1 h: one answer a frame, the state carried for ever.',
    );
    expect(row(readme(card), 'multiply-adds a message')).toEqual(['multiply-adds a message', '16,672']);
    expect(row(readme(card), 'state a stream')).toEqual(['state a stream', '7,012 bytes']);
    expect(readme(card)).toContain(`\`${card.id}\``);
  });

  test('has the errors of everybody, over steps 1 to h and at h alone, the least in bold', () => {
    const text = readme(card);
    expect(row(text, 'h')).toEqual([
      'h',
      'int8 model',
      'float model',
      'persistence',
      'seasonal naive',
      'ridge',
    ]);
    const { int8, baselines } = card.scores;
    const [, own, float, persistence] = row(text, '24 (24 h)');
    expect(own).toBe(`**${errorText(int8.horizons[24].mse)}** / ${errorText(int8.horizons[24].mae)}`);
    expect(float).not.toContain('**');
    expect(persistence).toContain(errorText(baselines.persistence.horizons[24].mse));
    const [, alone] = row(text.slice(text.indexOf('### Step h alone')), '24 (24 h)');
    expect(alone).toContain(errorText(int8.at[24].mse));
    expect(row(text, '`JFK`')).toHaveLength(6);
  });

  test('says what its intervals come from and are worth, beside the seasonal naive forecast with its own', () => {
    const text = readme(card);
    const intervals = text.slice(text.indexOf('### The 80 % interval'));
    expect(intervals).toContain('The network itself answers the levels 0.1, 0.5 and 0.9: how far each lies');
    const [own, naive] = [card.scores.int8.horizons[24], card.scores.baselines.seasonal.horizons?.[24]];
    expect(row(intervals, '24')).toEqual([
      ...['24', '80.0 %', '79.2 %', '71.3 %'],
      ...[own.winkler80, naive?.winkler80, own.pinball, naive?.pinball].map(errorText),
    ]);
  });

  test('says that they are residuals where the model answers points, and nothing where it has none', () => {
    const output = { ...card.model.output, quantiles: [] };
    const points = { ...card, model: { ...card.model, output } };
    expect(readme(points)).toContain('Its ends are the quantiles of the errors on validation, as wide in');
    const bare = Object.entries(card.scores.int8.horizons).map(([h, { coverage80: _, ...rest }]) => [
      h,
      rest,
    ]);
    const int8 = { ...card.scores.int8, horizons: Object.fromEntries(bare) };
    expect(readme({ ...points, scores: { ...card.scores, int8 } })).not.toContain('80 % interval');
  });

  test('says what int8 costs', () => {
    expect(readme(card)).toContain('+0.04 % on validation, on test +0.19 % (1 h)');
    expect(readme(card)).toContain('Over 10,000 free-running steps the hidden state is 0.32 % off float');
  });

  test.each([
    [
      [false],
      'The recurrent weights have 8 bits, rounded so that errors on the training part cancel (GPTQ).',
    ],
    [[true], 'The recurrent weights and the hidden state have 12 bits, rounded so'],
    [[false, true], 'The recurrent weights have 8 bits (12 in layer 1), rounded so'],
  ])('says how many bits the layers have: wide %j', (wideLayers, text) => {
    const quantization = card.quantization && { ...card.quantization, wideLayers };
    expect(readme({ ...card, ...(quantization && { quantization }) })).toContain(text);
  });

  test('shows the layers of a stack one by one', () => {
    const { quantization } = card;
    const layers = [
      { hidden: 0.004, alone: 0.001 },
      { hidden: 0.002, alone: 0.0005 },
    ];
    const drift = quantization && { ...quantization.drift, layers };
    const stacked = quantization && drift && { ...quantization, wideLayers: [false, true], drift };
    const text = readme({ ...card, ...(stacked && { quantization: stacked }) });
    expect(text).toContain('| 0 | 8 | 0.40 % | 0.10 % |');
    expect(text).toContain('| 1 | 12 | 0.20 % | 0.05 % |');
    expect(readme(card)).not.toContain('| layer |');
  });

  test('gives no sign to a cost of nothing', () => {
    const quantization = card.quantization && { ...card.quantization, cost: -1e-6 };
    expect(readme({ ...card, ...(quantization && { quantization }) })).toContain(
      'float: 0.00 % on validation',
    );
  });

  test('draws persistence and seasonal naive once where they are the same forecast', () => {
    const seasonal = card.window.forecasts.persistence ?? [];
    const draw = (horizon: number) => {
      const window = { ...card.window, horizon, forecasts: { ...card.window.forecasts, seasonal } };
      return renderCard({ ...card, window }).find(({ file }) => file === 'forecast.svg')?.text;
    };
    expect(draw(6)).toContain('seasonal naive');
    expect(draw(24)).not.toContain('seasonal naive');
  });

  test('names the borders of the split, and how to make it again', () => {
    const text = readme(card);
    expect(row(text, 'training part')[1]).toBe('2013-01-01 to 2013-08-07 09:00, 5,241 frames');
    expect(row(text, 'test part')[1]).toBe('2013-10-19 04:00 to 2013-12-30 23:00, 1,747 frames');
    expect(row(text, 'missing')[1]).toBe('2,733 cells; 78 frames without a row');
    expect(text).toContain('cellstream evaluate out/nyc-weather.pb --data weather.csv');
    expect(text).toContain('```yaml\nname: nyc-weather');
    expect(text).toContain('50 epochs, of which validation chose epoch 41');
    expect(text).toContain(
      'Of the ridge variants validation chose `all12` at h = 1 and 6 and `own336` at h = 24.',
    );
  });

  test('of a float model speaks of no int8', () => {
    const { quantization: _, ...rest } = card;
    const architecture = { ...card.model.architecture, cell: 'gru' as const };
    const files = renderCard({ ...rest, model: { ...card.model, architecture } });
    expect(files.map(({ file }) => file)).not.toContain('quantization.svg');
    expect(files[0].text).toContain('A GRU of 32 units, 24 interleaved states a stream in float32');
    expect(files[0].text).not.toContain('int8');
    expect(row(files[0].text, 'h')).toEqual(['h', 'model', 'persistence', 'seasonal naive', 'ridge']);
  });

  test('leaves out the baselines that are not defined, and the plots of a single step', () => {
    const baselines = { ...card.scores.baselines, seasonal: {}, ridge: {} };
    const output = { ...card.model.output, steps: 1, horizons: [1] };
    const files = renderCard({
      ...card,
      model: { ...card.model, output },
      scores: { ...card.scores, baselines },
      ridgePicks: {},
    });
    expect(files.map(({ file }) => file)).toEqual([
      'README.md',
      'forecast.svg',
      'quantization.svg',
      'loss.svg',
    ]);
    expect(row(files[0].text, 'h')).toEqual(['h', 'int8 model', 'float model', 'persistence']);
    expect(files[0].text).not.toMatch(/\bridge\b/);
  });

  test('warns of a model that is not fit for use', () => {
    expect(readme(card)).not.toContain('Not fit');
    expect(readme({ ...card, model: { ...card.model, fit: false } })).toContain('**Not fit for use**');
  });

  test('keeps names with bars and backticks inside their cells', () => {
    const input = { ...card.model.input, names: ['a|b', 'c`d', 'pressure'] };
    expect(readme({ ...card, model: { ...card.model, input } })).toContain("`a\\|b`, `c'd`, `pressure`");
  });

  test('does not list the streams of a whole fleet', () => {
    const series = Array.from({ length: 100 }, (_, i) => ({
      ...card.dataset.series[0],
      stream: `sensor-${i}`,
    }));
    const text = readme({ ...card, dataset: { ...card.dataset, series } });
    expect(text).not.toContain('sensor-7');
    expect(row(text, 'streams')[1]).toBe('100');
  });
});

describe('the verdict', () => {
  test('names the margin to the best baseline when the model wins', () => {
    expect(verdict(card)).toBe(
      'The model is best at every horizon: its mean squared error is 2.6 % below ridge (1 h), ' +
        '6.2 % below ridge (6 h) and 9.7 % below ridge (24 h).',
    );
  });

  test('does not hide a horizon that is lost', () => {
    expect(verdict(withMse(card, { 1: 1.1 }))).toMatch(
      /^The model is best at 6 h and 24 h: .* It is not at 1 h: 7\.1 % above ridge \(1 h\)\.$/,
    );
  });

  test('advises the baseline when that is always better', () => {
    expect(verdict(withMse(card, { 1: 2, 6: 2, 24: 2 }))).toMatch(
      /^A baseline is better at every horizon: .* Use the baseline, or train on more data\.$/,
    );
  });

  test('claims nothing without a test part', () => {
    const empty = { n: {}, horizons: {}, at: {}, streams: {} };
    const scores = {
      int8: empty,
      float: empty,
      baselines: { persistence: empty, seasonal: {}, ridge: {}, ridgeVariants: {} },
    };
    expect(verdict({ ...card, scores })).toContain('nothing is known');
    expect(readme({ ...card, scores })).toContain('nothing is known');
  });
});

test.each([
  [1, 3_600_000, '1 h'],
  [24, 3_600_000, '24 h'],
  [72, 3_600_000, '3 d'],
  [3, 1_800_000, '90 min'],
  [5, 1000, '5 s'],
  [1, 250, '250 ms'],
])('%i frames of %i ms are %s', (frames, periodMs, text) => {
  expect(span(frames, periodMs)).toBe(text);
});

test.each([
  [0, '0'],
  [0.012345, '0.01235'],
  [0.99996, '1.000'],
  [2.0714, '2.071'],
  [34.8412, '34.84'],
  [12345.6, '12350'],
  [1.5e-7, '1.500e-7'],
  [undefined, '-'],
])('the error %f reads as %s', (value, text) => {
  expect(errorText(value)).toBe(text);
});
