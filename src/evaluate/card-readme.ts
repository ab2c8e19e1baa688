import type { CellKind } from '../model/model.ts';
import type { CardData } from './card-data.ts';
import { describeIntervals } from './card-intervals.ts';
import {
  type Column,
  countText,
  errorText,
  isInteger,
  joinWords,
  percentText,
  scoreColumns,
  span,
  table,
  timeText,
  verdict,
} from './card-text.ts';
import type { Metrics } from './score.ts';

/** More streams than this are a list that nobody reads. */
const shownStreams = 24;

const cellNames: Readonly<Record<CellKind, string>> = {
  none: 'A linear model (ridge)',
  feedforward: 'A feedforward network',
  rnn: 'A plain recurrent network',
  lstm: 'An LSTM',
  gru: 'A GRU',
};

/** README.md of the card; `plots` are the files beside it. */
export function renderReadme(data: CardData, plots: readonly string[]): string {
  const picture = (file: string, alt: string) => (plots.includes(file) ? [`![${alt}](${file})`] : []);
  const { name, version, fit } = data.model;
  const sections = [
    `# ${name} ${version}`,
    describeModel(data),
    ...(fit ? [] : ['**Not fit for use**: on the validation part a naive forecast is better.']),
    `**${verdict(data)}**`,
    ...picture('horizons.svg', 'Error by how far ahead'),
    '## Errors on the test part',
    'Mean squared error / mean absolute error, in target units, pooled over all pairs of all streams; the least MSE, ' +
      'float aside, is bold. Every column is scored on exactly the same pairs, forecast one frame at a time as in service.',
    '### Mean over steps 1 to h',
    tabulateErrors(data, 'horizons'),
    '### Step h alone',
    tabulateErrors(data, 'at'),
    tabulateModel(data),
    ...describeIntervals(data),
    ...tabulateStreams(data),
    '## What it looks like',
    ...picture('forecast.svg', 'Forecast and truth'),
    ...picture('fan.svg', 'One answer with all its steps'),
    ...describeQuantization(data),
    ...picture('quantization.svg', 'Error of int8 against float'),
    '## The model',
    listModel(data),
    '## The data',
    listData(data),
    '## How it was trained',
    describeTraining(data),
    ...picture('loss.svg', 'Loss by epoch'),
    '## Make it again',
    describeCommands(data),
  ];
  return `${sections.join('\n\n')}\n`;
}

function describeModel(data: CardData): string {
  const { architecture, input, output } = data.model;
  const { cell, layers, hidden, phases, segment } = architecture;
  const kind = cell === 'none' ? cellNames.none : `${cellNames[cell]} of ${sizeText(layers, hidden)}`;
  const states = phases > 1 ? `, ${phases} interleaved states a stream` : '';
  const precision = isInteger(data) ? ' in int8' : ' in float32';
  const ahead = joinWords(output.horizons.map((h) => span(h, input.periodMs)));
  const names = (list: readonly string[]) => joinWords(list.map(code));
  const targets = output.targets.map((target) => input.names[target]);
  const from = input.names.join() === targets.join() ? 'its own past' : names(input.names);
  const how =
    segment > 0 ? `one answer every ${segment} frames` : 'one answer a frame, the state carried for ever';
  return (
    `${kind}${states}${precision}. It forecasts ${names(targets)} ${ahead} ahead from ${from}, ` +
    `in frames of ${span(1, input.periodMs)}: ${how}.`
  );
}

function sizeText(layers: number, hidden: number): string {
  return layers === 1 ? `${hidden} units` : `${layers} layers of ${hidden} units`;
}

function tabulateErrors(data: CardData, which: 'horizons' | 'at'): string {
  const columns = scoreColumns(data);
  const { periodMs } = data.model.input;
  const rows = data.model.output.horizons.map((h) => {
    const metrics = columns.map(({ score }) => score[which]?.[h]);
    return [`${h} (${span(h, periodMs)})`, ...errorCells(columns, metrics)];
  });
  return table(['h', ...columns.map(({ title }) => title)], rows);
}

function errorCells(columns: readonly Column[], metrics: readonly (Metrics | undefined)[]): string[] {
  // float is not what is served
  const candidates = metrics.filter((_, i) => columns[i].method !== 'float');
  const least = Math.min(...candidates.map((one) => one?.mse ?? Number.POSITIVE_INFINITY));
  return metrics.map((one, i) => {
    if (one === undefined) return '-';
    const isLeast = one.mse === least && columns[i].method !== 'float';
    return `${isLeast ? `**${errorText(one.mse)}**` : errorText(one.mse)} / ${errorText(one.mae)}`;
  });
}

function tabulateModel(data: CardData): string {
  const { int8 } = data.scores;
  const rows = data.model.output.horizons.map((h) => {
    const { rmse, mase } = int8.horizons[h] ?? {};
    return [String(h), countText(int8.n[h]), errorText(rmse), errorText(mase)];
  });
  return [
    'More of the model, over steps 1 to h (MASE: its MAE beside that of repeating the newest value one step ahead, on ' +
      'the training part):',
    table(['h', 'origins', 'RMSE', 'MASE'], rows),
  ].join('\n\n');
}

function tabulateStreams(data: CardData): string[] {
  const { dataset, model, scores } = data;
  const names = dataset.series.map(({ stream }) => stream);
  if (names.length < 2) return [];
  const h = Math.max(...model.output.horizons);
  const title = `### Stream by stream, over steps 1 to ${h}`;
  if (names.length > shownStreams)
    return [title, `${names.length} streams: see \`cellstream evaluate --json\`.`];
  const { int8, float, baselines } = scores;
  const all = { served: int8, float, ...baselines };
  const columns: Column[] = scoreColumns(data);
  const rows = names.map((name) => {
    const metrics = columns.map(({ method }) => all[method].streams?.[name]?.horizons[h]);
    return [code(name), ...errorCells(columns, metrics)];
  });
  return [title, table(['stream', ...columns.map((column) => column.title)], rows)];
}

function describeQuantization(data: CardData): string[] {
  const { quantization, scores, model } = data;
  if (quantization === undefined) return [];
  const { cost, drift } = quantization;
  const { periodMs } = model.input;
  const costs = model.output.horizons.flatMap((h) => {
    const [int8, float] = [scores.int8.horizons[h], scores.float.horizons[h]];
    return int8 && float ? [`${signed(int8.mse / float.mse - 1)} (${span(h, periodMs)})`] : [];
  });
  return [
    '## What int8 costs',
    `MSE of int8 against the same model in float: ${signed(cost)} on validation` +
      `${costs.length > 0 ? `, on test ${joinWords(costs)}` : ''}. ${describeBits(quantization)} ` +
      `Over ${countText(drift.steps.at(-1) ?? 0)} free-running steps the hidden state is ` +
      `${percentText(drift.hiddenOverall)} off float (relative root mean square), ` +
      `the forecast ${percentText(drift.outputOverall)}.`,
    ...tabulateLayers(quantization),
  ];
}

type Quantization = NonNullable<CardData['quantization']>;

const roundings: Readonly<Record<Quantization['rounding'], string>> = {
  nearest: 'rounded to the nearest integer',
  data: 'rounded so that errors on the training part cancel (GPTQ)',
  trained: 'rounded to the nearest integer, which the float weights were trained on for',
};

function describeBits({ wideLayers, rounding }: Quantization): string {
  const wide = wideLayers.flatMap((isWide, l) => (isWide ? [String(l)] : []));
  const bits =
    wide.length < wideLayers.length
      ? 'The recurrent weights have 8 bits'
      : 'The recurrent weights and the hidden state have 12 bits';
  const but = wide.length > 0 && wide.length < wideLayers.length ? ` (12 in layer ${joinWords(wide)})` : '';
  return `${bits}${but}, ${roundings[rounding]}.`;
}

function tabulateLayers({ drift, wideLayers }: Quantization): string[] {
  if (drift.layers.length < 2) return [];
  const rows = drift.layers.map(({ hidden, alone }, l) => [
    String(l),
    wideLayers[l] ? '12' : '8',
    percentText(hidden),
    percentText(alone),
  ]);
  return [table(['layer', 'bits', 'error of h', 'of the forecast, this layer alone in int8'], rows)];
}

function signed(share: number): string {
  const text = percentText(Math.abs(share));
  if (/^[0.]+ %$/.test(text)) return text;
  return share < 0 ? `-${text}` : `+${text}`;
}

function listModel({ model, id, parameters, stateBytes, multiplyAdds, fileBytes }: CardData): string {
  const { architecture, input, output, release } = model;
  return table(
    ['', ''],
    [
      [
        'cell',
        architecture.cell === 'none'
          ? 'none'
          : `${architecture.cell}, ${sizeText(architecture.layers, architecture.hidden)}`,
      ],
      [
        'parameters',
        `${countText(parameters.cells)} of the cells, ${countText(parameters.head)} of the head`,
      ],
      ['multiply-adds a message', countText(multiplyAdds)],
      ['state a stream', `${countText(stateBytes)} bytes`],
      ['season', `${input.season} frames`],
      ['states a stream', String(architecture.phases)],
      ['steps ahead', output.steps === 1 ? '1' : `1 to ${output.steps}`],
      ['bridges gaps up to', `${input.gapLimit} frames`],
      ['release', String(release)],
      [code(`${model.name}.pb`), `${countText(fileBytes.served)} bytes`],
      [code(`${model.name}.float.pb`), `${countText(fileBytes.float)} bytes`],
      ['id', code(id)],
    ],
  );
}

function listData({ model, dataset, split, dataFile }: CardData): string {
  const { periodMs } = model.input;
  const { counts, series, sha256 } = dataset;
  const time = (slot: number) => timeText(slot * periodMs);
  const part = (from: number, to: number) => `${time(from)} to ${time(to)}, ${countText(to - from)} frames`;
  const names = series.map(({ stream }) => code(stream));
  return table(
    ['', ''],
    [
      ['file', `${code(dataFile)}, ${countText(counts.rows)} rows`],
      ['SHA-256', code(sha256)],
      ['streams', names.length > shownStreams ? countText(names.length) : names.join(', ')],
      ['features', model.input.names.map(code).join(', ')],
      [
        'missing',
        `${countText(counts.missing)} cells; ${countText(missingFrames(series))} frames without a row`,
      ],
      [
        'set aside',
        `${countText(counts.duplicate)} duplicate, ${countText(counts.malformed)} malformed cells`,
      ],
      ['training part', part(split.start, split.trainEnd)],
      ['validation part', part(split.trainEnd, split.validationEnd)],
      ['test part', part(split.validationEnd, split.end)],
    ],
  );
}

function missingFrames(series: CardData['dataset']['series']): number {
  return series.reduce((sum, { present }) => sum + present.reduce((missing, row) => missing + 1 - row, 0), 0);
}

const fittedOnce = 'Scalers, weights and baselines are fitted on the training part alone.';
const refitted =
  'Scalers and baselines are fitted on the training part alone. So were the weights, until validation had chosen; then they ' +
  'were fitted once more, on training and validation together. Intervals and errors on validation are those of the first fit; ' +
  'what int8 costs there is measured on the second.';

function describeEpochs({ history, bestEpoch }: CardData['training'][number], i: number): string {
  const name = i === 0 ? '' : 'Another network: ';
  return `${name}${history.length - 1} epochs, of which validation chose epoch ${bestEpoch}. `;
}

function describeTraining({ model, training, notes = [], refit = false, ridgePicks = {} }: CardData): string {
  const variants = [...new Set(Object.values(ridgePicks))];
  const picks = variants.map((variant) => {
    const at = Object.keys(ridgePicks).filter((h) => ridgePicks[h] === variant);
    return variants.length === 1 ? code(variant) : `${code(variant)} at h = ${joinWords(at)}`;
  });
  const ridge = picks.length > 0 ? ` Of the ridge variants validation chose ${joinWords(picks)}.` : '';
  return [
    ...notes,
    `${training.map(describeEpochs).join('')}${refit ? refitted : fittedOnce}${ridge} The recipe, with every default:`,
    `\`\`\`yaml\n${model.training.recipe.trimEnd()}\n\`\`\``,
  ].join('\n\n');
}

function describeCommands({ model, dataFile }: CardData): string {
  const { name } = model;
  return [
    `With the recipe above saved as \`recipe.yaml\` beside ${code(dataFile)}; the same recipe, seed and data give the same bytes on every machine:`,
    [
      '```sh',
      'cellstream train recipe.yaml --out out',
      `cellstream evaluate out/${name}.pb --data ${/\s/.test(dataFile) ? `'${dataFile}'` : dataFile} --float out/${name}.float.pb`,
      `cellstream inspect out/${name}.pb`,
      '```',
    ].join('\n'),
  ].join('\n\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}
