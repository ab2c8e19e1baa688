import { parseArgs } from 'node:util';
import { DataError } from '../src/data/data-error.ts';
import { parseDuration } from '../src/signal/duration.ts';
import { type ContestantName, contestantNames } from './service-contestants.ts';

export interface ServiceBenchOptions {
  readonly json: boolean;
  /** Puts the results into bench/RESULTS.md. */
  readonly write: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly streams: number;
  readonly hidden: number;
  readonly horizons: readonly number[];
  readonly rates: readonly number[];
  readonly qos: readonly (0 | 1)[];
  readonly contestants: readonly ContestantName[];
  readonly dashboard: boolean;
  /** 0: no soak. */
  readonly soakMs: number;
  /** How often a soak cuts the connection of ours; 0: never. */
  readonly reconnectMs: number;
}

export function readServiceOptions(args: readonly string[]): ServiceBenchOptions {
  const options = {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    streams: { type: 'string', default: '10000' },
    hidden: { type: 'string', default: '32' },
    horizons: { type: 'string', default: '1' },
    rates: { type: 'string', default: '1000,5000,10000' },
    qos: { type: 'string', default: '0,1' },
    contestants: { type: 'string', default: contestantNames.join(',') },
    dashboard: { type: 'boolean', default: false },
    soak: { type: 'string', default: '0s' },
    reconnect: { type: 'string', default: '0s' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const numbers = (name: 'horizons' | 'rates' | 'qos', most: number) =>
    values[name].split(',').map((text) => readNumber(name, text, 0, most));
  return {
    ...{ json: values.json, write: values.write, dashboard: values.dashboard },
    rounds: readNumber('rounds', values.rounds, 1, 100),
    seconds: readNumber('seconds', values.seconds, 1, 600),
    // fewer would come to the end of the calendar soon
    streams: readNumber('streams', values.streams, 1000, 1_000_000),
    hidden: readNumber('hidden', values.hidden, 1, 1024),
    horizons: numbers('horizons', 288),
    rates: numbers('rates', 1_000_000),
    qos: numbers('qos', 1) as (0 | 1)[],
    contestants: readContestants(values.contestants),
    soakMs: parseDuration(values.soak) ?? 0,
    reconnectMs: parseDuration(values.reconnect) ?? 0,
  };
}

function readContestants(text: string): ContestantName[] {
  const asked = text.split(',');
  const unknown = asked.filter((name) => !(contestantNames as readonly string[]).includes(name));
  if (unknown.length === 0) return contestantNames.filter((name) => asked.includes(name));
  throw new DataError(`found --contestants ${unknown}, expected some of ${contestantNames.join(',')}`);
}

function readNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new DataError(`found --${name} ${text}, expected whole numbers from ${least} to ${most}`);
}
