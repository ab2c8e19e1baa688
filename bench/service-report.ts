import { machine, measureTable, tableOf, writeSection } from './results.ts';
import type { ContestantName } from './service-contestants.ts';
import type { LoadAnswer } from './service-load.ts';
import type { ServiceBenchOptions } from './service-options.ts';

/** What came of a stretch of load on one contestant. */
export interface Stretch extends LoadAnswer {
  readonly name: ContestantName;
  readonly qos: 0 | 1;
  /** Messages a second that were asked for; 0: as fast as it answers. */
  readonly rate: number;
  /** User and system time of its process, an answered message. */
  readonly cpuUs: number;
  readonly rssMb: number;
}

export interface LoadRow {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  readonly must: number;
  readonly lowerIsBetter: boolean;
}

const peers = { echo: 'the bare echo', paho: 'paho and PyTorch' } as const;
/** Of the echo's throughput; of what is written by hand, all of it. */
const least = { echo: 0.7, paho: 1 } as const;

/** Rows of medians over the rounds of one QoS; ratios and differences are those of the contestants in the same round. `own
 * core` divides by the processor time that the contestant's process took: on two cores the broker and the sensors slow
 * whoever answers fastest. */
export function compareLoads(stretches: readonly Stretch[], qos: 0 | 1, half: number): LoadRow[] {
  const of = (name: ContestantName, rate: number) =>
    stretches.filter((stretch) => stretch.name === name && stretch.rate === rate);
  const rows: LoadRow[] = [];
  for (const peer of ['echo', 'paho'] as const) {
    const pairs = pair(of('ours', 0), of(peer, 0));
    if (pairs.length === 0) continue;
    const row = (what: string, value: (stretch: Stretch) => number) => {
      const figures = compare(pairs, value, (ours, theirs) => ours / theirs);
      const name = `service QoS ${qos}, ${what}, beside ${peers[peer]}`;
      rows.push({ name, ...figures, must: least[peer], lowerIsBetter: false });
    };
    row('messages/s of its own core', ({ cpuUs }) => 1e6 / cpuUs);
    row('messages/s beside broker and sensors on this machine', ({ perSecond }) => perSecond);
  }
  for (const rate of new Set(stretches.map((stretch) => stretch.rate))) {
    const pairs = pair(of('ours', rate), of('echo', rate));
    if (rate === 0 || pairs.length === 0) continue;
    const figures = compare(
      pairs,
      ({ p99Ms }) => p99Ms,
      (ours, theirs) => ours - theirs,
    );
    const load = `${rate} messages/s${rate === half ? ' (half load)' : ''}`;
    const name = `service QoS ${qos}, p99 latency in ms at ${load}, ratio: ms added over the bare echo`;
    rows.push({ name, ...figures, must: 2, lowerIsBetter: true });
  }
  const failed = (name: ContestantName) =>
    stretches.reduce(
      (sum, one) => sum + (one.name === name ? one.sent - one.answered + one.repeated + one.wrong : 0),
      0,
    );
  const [ours, peer] = [failed('ours'), failed('echo')];
  const name = `service QoS ${qos}, messages unanswered, answered twice or wrongly`;
  return [...rows, { name, ours, peer, ratio: ours, must: 0, lowerIsBetter: true }];
}

/** The section of bench/RESULTS.md. */
export async function writeServiceResults(
  measures: readonly LoadRow[],
  loads: readonly Stretch[],
  { rounds, seconds, streams, hidden, contestants }: ServiceBenchOptions,
): Promise<void> {
  await writeSection('Service', [
    `Written by \`npm run bench -- service --write --rounds ${rounds} --seconds ${seconds} --contestants ${contestants}\`, with`,
    `mosquitto: ${streams} streams, H=${hidden}, JSON, a forecast a message. Broker, sensors and the contestant share the cores of one`,
    'machine. Medians of the rounds; ratios and differences are those of the same round.',
    '',
    `${machine()}.`,
    '',
    ...measureTable(measures),
    '',
    ...tableOf(
      ['load', 'messages/s', 'us of CPU a message', 'p50 ms', 'p99 ms', 'RSS MB'],
      groupStretches(loads).map((group) => [
        describeLoad(group[0]),
        ...(['perSecond', 'cpuUs', 'p50Ms', 'p99Ms', 'rssMb'] as const).map((what) =>
          median(group.map((stretch) => stretch[what])),
        ),
      ]),
    ),
  ]);
}

/** The rounds of one load on one contestant. */
function groupStretches(loads: readonly Stretch[]): Stretch[][] {
  const groups = new Map<string, Stretch[]>();
  for (const stretch of loads) {
    const load = describeLoad(stretch);
    groups.set(load, [...(groups.get(load) ?? []), stretch]);
  }
  return [...groups.values()];
}

function describeLoad({ name, qos, rate }: Stretch): string {
  return `${name}, QoS ${qos}, ${rate === 0 ? 'flat out' : `${rate}/s`}`;
}

type Pair = readonly [ours: Stretch, theirs: Stretch];

function pair(ours: readonly Stretch[], theirs: readonly Stretch[]): Pair[] {
  return ours.slice(0, theirs.length).map((stretch, round) => [stretch, theirs[round]]);
}

function compare(
  pairs: readonly Pair[],
  value: (stretch: Stretch) => number,
  relate: (ours: number, theirs: number) => number,
): Pick<LoadRow, 'ours' | 'peer' | 'ratio'> {
  return {
    ours: median(pairs.map(([ours]) => value(ours))),
    peer: median(pairs.map(([, theirs]) => value(theirs))),
    ratio: median(pairs.map(([ours, theirs]) => relate(value(ours), value(theirs)))),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return Number(sorted[Math.floor(sorted.length / 2)].toPrecision(4));
}
