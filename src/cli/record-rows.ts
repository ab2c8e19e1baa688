import type { Counters } from '../stream/counters.ts';
import type { Row } from './recording.ts';

export interface StreamMessage {
  readonly stream: string;
  /** undefined: of the moment it arrived. */
  readonly timeMs?: number | undefined;
  readonly arrivedMs: number;
  readonly numbers: ReadonlyMap<string, number>;
}

/** Puts messages into rows, one a stream and time, and hands a stream's rows on in the order of time. Each number
 * ends as applied, duplicate or late. */
export interface RowGatherer {
  readonly streams: number;
  add(message: StreamMessage): void;
  /** The end of the input: the rows that are held. */
  end(): void;
}

interface HeldRow {
  readonly timeMs: number;
  readonly values: Map<string, number>;
  /** Of the row handed on last; train refuses times that fall. */
  readonly writtenMs: number;
}

export function createRowGatherer({
  counters: { ended },
  write,
}: {
  readonly counters: Counters;
  readonly write: (row: Row) => void;
}): RowGatherer {
  const rows = new Map<string, HeldRow>();
  const hold = ({ stream, numbers }: StreamMessage, timeMs: number, writtenMs: number) => {
    rows.set(stream, { timeMs, values: new Map(numbers), writtenMs });
    ended.applied += numbers.size;
  };
  const merge = (values: Map<string, number>, { numbers }: StreamMessage) => {
    for (const [name, value] of numbers) {
      if (values.has(name)) ended.duplicate++;
      else {
        values.set(name, value);
        ended.applied++;
      }
    }
  };
  return {
    get streams() {
      return rows.size;
    },
    add(message) {
      const { stream } = message;
      const held = rows.get(stream);
      if (!held) return hold(message, message.timeMs ?? message.arrivedMs, Number.NEGATIVE_INFINITY);
      const timeMs = message.timeMs ?? arrivalOf(message, held);
      if (timeMs === held.timeMs) merge(held.values, message);
      else if (timeMs > held.timeMs) {
        write({ stream, ...held });
        hold(message, timeMs, held.timeMs);
      } else if (timeMs > held.writtenMs) {
        // a step out of order, and still in time
        write({ stream, timeMs, values: message.numbers });
        rows.set(stream, { ...held, writtenMs: timeMs });
        ended.applied += message.numbers.size;
      } else ended.late += message.numbers.size;
    },
    end() {
      for (const [stream, held] of rows) write({ stream, ...held });
    },
  };
}

/** Two numbers of one name in one millisecond are no duplicates where nobody says a time: the second one moves on. Nor
 * is a number late when this machine's clock is put back. */
function arrivalOf({ arrivedMs, numbers }: StreamMessage, { timeMs, values }: HeldRow): number {
  const isTaken = [...numbers.keys()].some((name) => values.has(name));
  return Math.max(arrivedMs, isTaken ? timeMs + 1 : timeMs);
}
