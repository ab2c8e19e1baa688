import type { CardData, Method } from './card-data.ts';
import type { Metrics, StreamScore } from './score.ts';

export type Column = {
  readonly method: Method;
  readonly title: string;
  readonly score: Partial<StreamScore>;
};

/** Whether the model is served in integers. */
export function isInteger({ quantization }: CardData): boolean {
  return quantization !== undefined;
}

/** Names of the methods in tables and plots. */
export function methodName(method: Method, data: CardData): string {
  const names: Readonly<Record<Method, string>> = {
    served: isInteger(data) ? 'int8 model' : 'model',
    float: 'float model',
    persistence: 'persistence',
    seasonal: 'seasonal naive',
    ridge: 'ridge',
  };
  return names[method];
}

/** Whose errors there are, the model first. */
export function scoreColumns(data: CardData): Column[] {
  const { int8, float, baselines } = data.scores;
  const all: readonly (readonly [Method, Partial<StreamScore>])[] = [
    ['served', int8],
    ...(isInteger(data) ? ([['float', float]] as const) : []),
    ['persistence', baselines.persistence],
    ['seasonal', baselines.seasonal],
    ['ridge', baselines.ridge],
  ];
  return all
    .filter(([, score]) => Object.keys(score.horizons ?? {}).length > 0)
    .map(([method, score]) => ({ method, title: methodName(method, data), score }));
}

/** Duration of some frames: `24 h`, `90 min`, `3 d`. */
export function span(frames: number, periodMs: number): string {
  const milliseconds = frames * periodMs;
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ];
  for (const [unit, size] of units) {
    // two days are 48 h: hours are what people plan by
    if (milliseconds % size === 0 && (unit !== 'd' || milliseconds / size > 2)) {
      return `${milliseconds / size} ${unit}`;
    }
  }
  return `${milliseconds} ms`;
}

/** Four digits that count. */
export function errorText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  const rounded = Number(value.toPrecision(4));
  if (Math.abs(rounded) >= 1e6 || (rounded !== 0 && Math.abs(rounded) < 1e-4))
    return rounded.toExponential(3);
  const digits = rounded === 0 ? 0 : 3 - Math.floor(Math.log10(Math.abs(rounded)));
  return rounded.toFixed(Math.max(0, Math.min(6, digits)));
}

/** 12345 is `12,345`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function percentText(share: number): string {
  const percent = 100 * share;
  const text = Math.abs(percent) < 1 ? percent.toFixed(2) : percent.toFixed(1);
  return `${text} %`;
}

/** 2013-10-20 or 2013-10-20 06:00, UTC. */
export function timeText(timeMs: number): string {
  const [day, clock] = new Date(timeMs).toISOString().split('T');
  return timeMs % 86_400_000 === 0 ? day : `${day} ${clock.slice(0, 5)}`;
}

export function dayText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

interface Duel {
  readonly h: number;
  readonly model: Metrics;
  /** The best of the baselines. */
  readonly rival: { readonly title: string; readonly mse: number };
}

/** Who is best, by MSE over steps 1..h of the test part: the sentences that a reader should take along. */
export function verdict(data: CardData): string {
  const { periodMs } = data.model.input;
  const duels = data.model.output.horizons.flatMap((h) => duelAt(data, h) ?? []);
  if (duels.length === 0)
    return 'The test part has no pair of forecast and truth: nothing is known of this model.';
  const won = duels.filter(({ model, rival }) => model.mse < rival.mse);
  const lost = duels.filter(({ model, rival }) => model.mse >= rival.mse);
  const at = (list: readonly Duel[]) => joinWords(list.map(({ h }) => span(h, periodMs)));
  const margins = (list: readonly Duel[]) =>
    joinWords(
      list.map(({ h, model, rival }) => {
        const share = model.mse / rival.mse - 1;
        const side = share < 0 ? 'below' : 'above';
        return `${percentText(Math.abs(share))} ${side} ${rival.title} (${span(h, periodMs)})`;
      }),
    );
  const mse = 'its mean squared error is';
  if (lost.length === 0) return `The model is best at every horizon: ${mse} ${margins(won)}.`;
  if (won.length === 0) {
    return `A baseline is better at every horizon: ${mse} ${margins(lost)}. Use the baseline, or train on more data.`;
  }
  return `The model is best at ${at(won)}: ${mse} ${margins(won)}. It is not at ${at(lost)}: ${margins(lost)}.`;
}

function duelAt(data: CardData, h: number): Duel | undefined {
  const model = data.scores.int8.horizons[h];
  const rivals = scoreColumns(data)
    .filter(({ method }) => method !== 'served' && method !== 'float')
    .flatMap(({ title, score }) => {
      const metrics = score.horizons?.[h];
      return metrics && !isSame(metrics, model) ? [{ title, mse: metrics.mse }] : [];
    })
    .sort((a, b) => a.mse - b.mse);
  return model && rivals.length > 0 ? { h, model, rival: rivals[0] } : undefined;
}

/** A ridge that is served is the ridge beside it, but for the rounding to float32. */
function isSame(one: Metrics, other: Metrics | undefined): boolean {
  return other !== undefined && Math.abs(one.mse - other.mse) <= 1e-5 * other.mse;
}

export function joinWords(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${header.map((_, i) => (i === 0 || header[0] === '' ? ' --- |' : ' ---: |')).join('')}`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}
