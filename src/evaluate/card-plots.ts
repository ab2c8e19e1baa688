import type { CardData, CardFile, Method, Trace } from './card-data.ts';
import { countText, dayText, methodName, percentText, span, timeText } from './card-text.ts';
import { type Band, type LineSeries, lineChart } from './plot.ts';
import type { Color } from './svg.ts';

/** The same color in every plot. */
const colors: Readonly<Record<Method, Color>> = {
  served: 'blue',
  float: 'sky',
  persistence: 'gray',
  seasonal: 'orange',
  ridge: 'green',
};

/** The plots that the data has something for. */
export function renderPlots(data: CardData): CardFile[] {
  const plots: (readonly [string, string | undefined])[] = [
    ['horizons.svg', plotHorizons(data)],
    ['forecast.svg', plotWindow(data)],
    ['fan.svg', plotFan(data)],
    ['quantization.svg', plotQuantization(data)],
    ['loss.svg', plotLoss(data)],
  ];
  return plots.flatMap(([file, text]) => (text === undefined ? [] : [{ file, text }]));
}

function plotHorizons(data: CardData): string | undefined {
  const { model, errorByStep } = data;
  const { steps } = model.output;
  // a line of one point says no more than the table
  if (steps < 2) return undefined;
  const series = methodsOf(errorByStep).map((method) => seriesOf(method, errorByStep, data));
  return lineChart({
    title: 'Error by how far ahead',
    subtitle: `Mean absolute error of each step alone, test part, ${streamsText(data)}`,
    x: Array.from({ length: steps }, (_, i) => i + 1),
    xTicks: stepTicks(steps),
    xLabel: `steps ahead, ${span(1, model.input.periodMs)} each`,
    yLabel: model.output.targets.length === 1 ? `MAE of ${withUnit(data, 0)}` : 'MAE',
    fromZero: true,
    series,
  });
}

function plotWindow(data: CardData): string {
  const { window, model } = data;
  const { timesMs, horizon, stream } = window;
  // at the season both repeat the same values
  const { seasonal: _, ...others } = window.forecasts;
  const forecasts = horizon === model.input.season ? others : window.forecasts;
  const days = `${dayText(timesMs[0])} to ${dayText(timesMs[timesMs.length - 1])}`;
  return lineChart({
    title: `${targetName(data, window)} of ${stream}, forecast ${span(horizon, model.input.periodMs)} ahead`,
    subtitle: `Test part, ${days}; every forecast stands at the time that it is for`,
    ...traceLines(data, { ...window, forecasts }),
    yLabel: withUnit(data, window.target),
  });
}

function plotFan(data: CardData): string | undefined {
  const { fan, model } = data;
  const { steps } = model.output;
  if (steps < 2) return undefined;
  const now = Array.from(fan.timesMs).indexOf(fan.madeMs);
  // from the newest value, which all answers are added to
  const fromNow = (values: ArrayLike<number>) => Array.from(values, (y, i) => (i === now ? fan.truth[i] : y));
  const joined = Object.entries(fan.forecasts).map(([method, values]) => [method, fromNow(values)]);
  const edges = fan.low && fan.high && { low: fromNow(fan.low), high: fromNow(fan.high) };
  return lineChart({
    title: `One answer for ${fan.stream}: ${steps} steps ahead`,
    subtitle: `${targetName(data, fan)}, forecast on ${timeText(fan.madeMs)} UTC${fan.low ? ', with the 80 % interval' : ''}`,
    ...traceLines(data, { ...fan, ...edges, forecasts: Object.fromEntries(joined) }),
    marks: [{ x: fan.madeMs, label: 'now' }],
    yLabel: withUnit(data, fan.target),
  });
}

function traceLines(data: CardData, { timesMs, truth, forecasts, low, high }: Trace) {
  const bands: Band[] = low && high ? [{ name: '80 % interval', low, high, color: colors.served }] : [];
  const truths: LineSeries = { name: 'truth', points: truth, color: 'ink' };
  const series = [...methodsOf(forecasts).map((method) => seriesOf(method, forecasts, data)), truths];
  return { x: timesMs, xKind: 'time' as const, xLabel: 'time (UTC)', series, bands };
}

function plotQuantization({ quantization }: CardData): string | undefined {
  if (quantization === undefined) return undefined;
  const { steps, hidden, output, hiddenOverall, outputOverall } = quantization.drift;
  const percent = (values: readonly number[]) => values.map((value) => 100 * value);
  return lineChart({
    title: 'int8 beside float, running free',
    subtitle:
      `Both step on the same ${countText(steps.at(-1) ?? 0)} frames and no state is ever reset; ` +
      `overall ${percentText(hiddenOverall)} of h, ${percentText(outputOverall)} of the forecast`,
    x: steps,
    xLabel: 'steps since the state was zero',
    yLabel: 'relative error (%)',
    fromZero: true,
    series: [
      { name: 'hidden state h', points: percent(hidden), color: 'vermilion' },
      { name: 'forecast', points: percent(output), color: 'blue', strong: true },
    ],
  });
}

function plotLoss({ training }: CardData): string | undefined {
  // the networks of other seeds look alike
  const [first] = training;
  if (first === undefined) return undefined;
  const { history, bestEpoch, loss } = first;
  if (history.length < 2) return undefined;
  const values = history.flatMap((epoch) => [epoch.loss, epoch.validation]).filter((value) => value > 0);
  return lineChart({
    title: 'Training',
    subtitle: `Loss by epoch in z units; the weights of epoch ${bestEpoch} are the model`,
    x: history.map(({ epoch }) => epoch),
    xLabel: 'epoch',
    yLabel: 'loss',
    // a start far above the rest would press all that follows flat
    yKind: Math.max(...values) > 4 * Math.min(...values) ? 'log' : 'linear',
    marks: [{ x: bestEpoch, label: 'best' }],
    series: [
      { name: `training, ${loss}`, points: history.map((epoch) => epoch.loss), color: 'gray' },
      {
        name: 'validation, mse',
        points: history.map((epoch) => epoch.validation),
        color: 'blue',
        strong: true,
      },
    ],
  });
}

/** In the order in which lines are drawn, the model's on top; the float twin would hide behind it. */
function methodsOf(values: Partial<Record<Method, unknown>>): Method[] {
  const order: readonly Method[] = ['persistence', 'seasonal', 'ridge', 'served'];
  return order.filter((method) => values[method] !== undefined);
}

function seriesOf(
  method: Method,
  values: Partial<Record<Method, ArrayLike<number>>>,
  data: CardData,
): LineSeries {
  return {
    name: methodName(method, data),
    points: values[method] ?? [],
    color: colors[method],
    strong: method === 'served',
    dashed: method === 'persistence' || method === 'seasonal',
  };
}

/** At most about eight, the last step among them. */
function stepTicks(steps: number): number[] {
  const every = [1, 2, 3, 4, 6, 12, 24, 48, 72].find((step) => steps / step <= 8) ?? Math.ceil(steps / 8);
  const ticks = Array.from({ length: Math.floor(steps / every) }, (_, i) => (i + 1) * every);
  return ticks[0] === 1 ? ticks : [1, ...ticks];
}

function targetName({ model }: CardData, { target }: Pick<Trace, 'target'>): string {
  return model.input.names[model.output.targets[target]];
}

/** `temp (°F)` */
function withUnit(data: CardData, target: number): string {
  const unit = data.model.input.units[data.model.output.targets[target]];
  return `${targetName(data, { target })}${unit ? ` (${unit})` : ''}`;
}

function streamsText({ dataset }: CardData): string {
  const names = dataset.series.map(({ stream }) => stream);
  return names.length <= 4 ? names.join(', ') : `${names.length} streams`;
}
