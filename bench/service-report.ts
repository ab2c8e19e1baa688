import type { ContestantName } from './service-contestants.ts';
import type { LoadAnswer } from './service-load.ts';

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

/** Rows of medians over the rounds of one QoS. `own core` divides by the processor time that the contestant's process took:
 * on two cores the broker and the sensors slow whoever answers fastest. */
export function compareLoads(stretches: readonly Stretch[], qos: 0 | 1, half: number): LoadRow[] {
  const of = (name: ContestantName, rate: number) =>
    stretches.filter((stretch) => stretch.name === name && stretch.rate === rate);
  const rows: LoadRow[] = [];
  for (const peer of ['echo', 'paho'] as const) {
    if (of(peer, 0).length === 0 || of('ours', 0).length === 0) continue;
    const row = (key: 'perSecond' | 'ofItsCore', what: string, must: number) => {
      const [ours, theirs] = [median(of('ours', 0), key), median(of(peer, 0), key)];
      const name = `service QoS ${qos}, ${what}, beside ${peers[peer]}`;
      rows.push({ name, ...rounded(ours, theirs, ours / theirs), must, lowerIsBetter: false });
    };
    row('ofItsCore', 'messages/s of its own core', least[peer]);
    row('perSecond', 'messages/s beside broker and sensors on this machine', least[peer]);
  }
  for (const rate of [...new Set(stretches.map((stretch) => stretch.rate))].filter((one) => one > 0)) {
    if (of('echo', rate).length === 0 || of('ours', rate).length === 0) continue;
    const [ours, theirs] = [median(of('ours', rate), 'p99Ms'), median(of('echo', rate), 'p99Ms')];
    const load = `${rate} messages/s${rate === half ? ' (half load)' : ''}`;
    const name = `service QoS ${qos}, p99 latency in ms at ${load}, ratio: ms added over the bare echo`;
    rows.push({ name, ...rounded(ours, theirs, ours - theirs), must: 2, lowerIsBetter: true });
  }
  const failed = (name: ContestantName) =>
    stretches.reduce((sum, one) => sum + (one.name === name ? one.sent - one.answered + one.wrong : 0), 0);
  const name = `service QoS ${qos}, messages unanswered or answered wrongly`;
  return [
    ...rows,
    { name, ...rounded(failed('ours'), failed('echo'), failed('ours')), must: 0, lowerIsBetter: true },
  ];
}

function rounded(ours: number, peer: number, ratio: number) {
  const short = (value: number) => Number(value.toPrecision(4));
  return { ours: short(ours), peer: short(peer), ratio: short(ratio) };
}

function median(stretches: readonly Stretch[], key: 'perSecond' | 'ofItsCore' | 'p99Ms'): number {
  const sorted = stretches
    .map((stretch) => (key === 'ofItsCore' ? 1e6 / stretch.cpuUs : stretch[key]))
    .sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}
