import type { CardData } from './card-data.ts';
import { errorText, joinWords, percentText, table } from './card-text.ts';

/** Where the 80 % intervals come from, and what they are worth beside the seasonal naive forecast with its own. */
export function describeIntervals(data: CardData): string[] {
  const { model, scores, validation } = data;
  const { int8, baselines } = scores;
  const known = model.output.horizons.filter((h) => int8.horizons[h]?.coverage80 !== undefined);
  if (known.length === 0) return [];
  const rows = known.map((h) => {
    const [own, naive] = [int8.horizons[h], baselines.seasonal.horizons?.[h]];
    const percents = [validation.horizons[h], own, naive].map((one) =>
      one?.coverage80 === undefined ? '-' : percentText(one.coverage80),
    );
    const errors = [own.winkler80, naive?.winkler80, own.pinball, naive?.pinball].map(errorText);
    return [String(h), ...percents, ...errors];
  });
  const header = ['coverage, validation', 'test', 'seasonal naive, test'];
  return [
    '### The 80 % interval, over steps 1 to h',
    `${sourceText(data)} Coverage is the share of truths inside; the Winkler score the width and ten times what truths ` +
      `are outside; pinball the mean loss of the levels, half the CRPS as they see it. The seasonal naive forecast has ` +
      `the quantiles of its own residuals on validation.`,
    table(['h', ...header, 'Winkler', 'seasonal naive', 'pinball', 'seasonal naive'], rows),
  ];
}

function sourceText({ model }: CardData): string {
  const { quantiles } = model.output;
  if (quantiles.length < 2)
    return 'Its ends are the quantiles of the errors on validation, as wide in every state.';
  const levels = joinWords(quantiles.map((level) => String(level)));
  return (
    `The network itself answers the levels ${levels}: how far each lies from the one further inwards follows its state ` +
    'and how much the values moved of late, and is scaled on validation to what the level says.'
  );
}
