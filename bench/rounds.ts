/** One of those that are timed side by side: a turn gives times, in whatever unit its bench has. */
export interface Contestant {
  readonly turn: () => readonly number[] | Promise<readonly number[]>;
}

/** Everybody's turn, round after round, so that what slows the machine for a while slows everybody.
 * @returns [contestant], all its times but those of a first round, which warms up */
export async function takeTurns(contestants: readonly Contestant[], rounds: number): Promise<number[][]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { turn }] of contestants.entries()) {
      const taken = await turn();
      if (round > 0) times[i].push(...taken);
    }
  }
  return times;
}

/** The time below which that share of all times lies. */
export function quantile(times: readonly number[], share: number): number {
  if (times.length === 0) throw new RangeError('no times, expected at least one round');
  const sorted = Float64Array.from(times).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export const median = (times: readonly number[]): number => quantile(times, 0.5);

/** Ours beside somebody else's, from one run. */
export interface Measure {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  /** ours / peer */
  readonly ratio: number;
  /** What the ratio has to reach, and what it had better. */
  readonly must: number;
  readonly aim?: number;
  readonly lowerIsBetter: boolean;
}

export function compareWith(
  name: string,
  ours: number,
  peer: number,
  goal: Pick<Measure, 'must' | 'aim' | 'lowerIsBetter'>,
): Measure {
  return { name, ours: significant(ours), peer: significant(peer), ratio: significant(ours / peer), ...goal };
}

/** Four digits: more is noise. */
export const significant = (value: number): number => Number(value.toPrecision(4));

/** One object as the last line of standard output, or a table for a person. */
export function printMeasures(measures: readonly Measure[], json: boolean): void {
  if (json) console.log(JSON.stringify({ measures }));
  else console.table(Object.fromEntries(measures.map(({ name, ...row }) => [name, row])));
}
