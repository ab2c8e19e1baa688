import { errorText } from '../evaluate/card-text.ts';
import type { ScoreSheet } from './score-sheet.ts';
import { formatTable } from './table.ts';

const baselineNames: Readonly<Record<string, string>> = {
  persistence: 'persistence',
  seasonal: 'seasonal naive',
  ridge: 'ridge',
};

/** A recipe that was tried. */
export interface Trial {
  /** What is different in it: `+ flow`. */
  readonly label: string;
  readonly kind: 'ridge' | 'network';
  /** All that it is: `a network + flow`. */
  readonly whole: string;
  /** Mean squared error of the float model over the longest horizon on validation. */
  readonly validation: number;
  readonly seconds: number;
}

/** What a search has tried, and which it took. */
export interface SearchRecord {
  readonly trials: readonly Trial[];
  /** The label of one of them. */
  readonly chosen: string;
  readonly why: string;
}

/** @param refusals why better ones could not be taken */
export function recordSearch(
  trials: readonly Trial[],
  chosen: Trial,
  refusals: readonly string[],
): SearchRecord {
  return { trials, chosen: chosen.label, why: [...refusals, explain(trials, chosen)].join(' ') };
}

/** How an error lies beside another's: `1.2 % below that of`. */
function beside(error: number, other: number): string {
  if (error === other) return 'as large as that of';
  if (other === 0) return 'above that, which is 0, of';
  const share = 100 * (error / other - 1);
  if (Math.abs(share) < 0.05) return 'as large as that of';
  return `${Math.abs(share).toFixed(1)} % ${share < 0 ? 'below' : 'above'} that of`;
}

function explain(trials: readonly Trial[], chosen: Trial): string {
  const least = (kind: Trial['kind']) =>
    trials
      .filter((trial) => trial.kind === kind)
      .sort((a, b) => a.validation - b.validation)
      .at(0);
  const [ridge, network] = [least('ridge'), least('network')];
  const sentences = [`Validation chose ${chosen.whole}.`];
  if (chosen.kind === 'ridge' && network) {
    const where = beside(chosen.validation, network.validation);
    sentences.push(`Its error is ${where} the best network (${network.whole}).`);
  }
  if (chosen.kind === 'network') {
    if (ridge) {
      const where = beside(chosen.validation, ridge.validation);
      sentences.push(`Its error is ${where} the best ridge alone (${ridge.whole}).`);
    } else {
      sentences.push('No ridge could be fitted: too few rows.');
    }
    if (network && network !== chosen && network.validation < chosen.validation) {
      const gain = (100 * (1 - network.validation / chosen.validation)).toFixed(1);
      sentences.push(`${network.whole} errs ${gain} % less: too little for what it costs the device.`);
    }
  }
  return sentences.join(' ');
}

export function tabulateTrials({ trials, chosen }: SearchRecord): string {
  return formatTable(
    ['tried', 'validation MSE', 'seconds', ''],
    trials.map(({ label, validation, seconds }) => [
      ...[label, validation, Math.round(seconds)],
      label === chosen ? 'chosen' : '',
    ]),
    { digits: 4 },
  );
}

/** A line for every baseline that beats the model over steps 1..h of a part. */
export function betterBaselines({ int8, baselines }: ScoreSheet, h: number): string[] {
  const own = int8[h]?.mse;
  return Object.entries(baselines).flatMap(([name, sheet]) => {
    const other = sheet[h]?.mse;
    // a ridge that is served differs from the one beside it by the rounding to float32
    if (own === undefined || other === undefined || other > (1 - 1e-5) * own) return [];
    return [
      `${baselineNames[name]} is better on test over steps 1-${h}: its MSE is ${beside(other, own)} the model's`,
    ];
  });
}

/** For the card. No seconds in it: the same data gives the same card. */
export function describeSearch({ trials, chosen, why }: SearchRecord): string {
  const rows = trials.map(
    ({ label, validation }) =>
      `| ${label.replaceAll('|', '\\|')} | ${errorText(validation)} | ${label === chosen ? 'chosen' : ''} |`,
  );
  return [why, '', '| tried | MSE on validation | |', '| --- | ---: | --- |', ...rows].join('\n');
}
