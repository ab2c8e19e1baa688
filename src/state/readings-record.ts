import { type Marks, readMarks, writeMarks } from './marks.ts';
import { DamageError } from './state-error.ts';

/** A reading that has changed a state: what the log holds. */
export interface LoggedReading {
  readonly stream: string;
  /** Index in the model's features. */
  readonly feature: number;
  readonly timeMs: number;
  /** float32; NaN is an explicit missing value. */
  readonly value: number;
}

// A record: how many names are new in this file and the names, which are numbered as they come; how many readings, and the
// readings, 18 bytes each: number of the stream, feature, time, value. Marks may follow (marks.ts).

const readingBytes = 18;
const usualBytes = 16 * 1024;

/** Readings on their way into one file of the log. */
export interface ReadingsWriter {
  /** Readings that were added since the last `take`. */
  readonly count: number;
  /** Bytes that they take. */
  readonly size: number;
  add(stream: string, feature: number, timeMs: number, value: number): void;
  /** A record of them. */
  take(): Buffer;
}

export function createReadingsWriter(): ReadingsWriter {
  const numbers = new Map<string, number>();
  let names: string[] = [];
  let nameBytes = 0;
  let readings = Buffer.allocUnsafe(usualBytes);
  let count = 0;

  function numberOf(stream: string): number {
    const known = numbers.get(stream);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(stream, number);
    names.push(stream);
    nameBytes += 2 + Buffer.byteLength(stream);
    return number;
  }

  return {
    get count() {
      return count;
    },
    get size() {
      return nameBytes + count * readingBytes;
    },
    add(stream, feature, timeMs, value) {
      const at = count * readingBytes;
      if (at + readingBytes > readings.length) {
        const grown = Buffer.allocUnsafe(2 * readings.length);
        readings.copy(grown, 0, 0, at);
        readings = grown;
      }
      readings.writeUInt32LE(numberOf(stream), at);
      readings.writeUInt16LE(feature, at + 4);
      readings.writeDoubleLE(timeMs, at + 6);
      readings.writeFloatLE(value, at + 14);
      count++;
    },
    take() {
      const record = Buffer.allocUnsafe(8 + nameBytes + count * readingBytes);
      let at = record.writeUInt32LE(names.length, 0);
      for (const name of names) {
        const length = record.write(name, at + 2);
        record.writeUInt16LE(length, at);
        at += 2 + length;
      }
      at = record.writeUInt32LE(count, at);
      readings.copy(record, at, 0, count * readingBytes);
      names = [];
      nameBytes = 0;
      count = 0;
      return record;
    },
  };
}

/** What was added, with the marks of its messages: in one record, so that a message is marked as read when its readings are there, and
 * only then. */
export function takeRecord(writer: ReadingsWriter, marks: Marks | undefined): Buffer {
  const readings = writer.take();
  return marks ? Buffer.concat([readings, writeMarks(marks)]) : readings;
}

/** Takes the records of one file apart, in their order; `onMarks` gets what follows the readings.
 * @throws DamageError for a record that no writer made, though its checksum is right */
export function createReadingsReader(
  onMarks: (marks: Marks) => void = () => {},
): (record: Buffer) => LoggedReading[] {
  const names: string[] = [];
  return (record) => {
    let at = 0;
    const take = (bytes: number): number => {
      if (at + bytes > record.length) {
        throw new DamageError(
          `a record of the log ends after ${record.length} bytes, expected ${at + bytes}`,
        );
      }
      at += bytes;
      return at - bytes;
    };
    const newNames = record.readUInt32LE(take(4));
    for (let i = 0; i < newNames; i++) {
      const length = record.readUInt16LE(take(2));
      const from = take(length);
      names.push(record.toString('utf8', from, from + length));
    }
    const count = record.readUInt32LE(take(4));
    const from = take(count * readingBytes);
    const marks = at < record.length ? readMarks(record.subarray(at)) : undefined;
    const readings = Array.from({ length: count }, (_, i): LoggedReading => {
      const readingAt = from + i * readingBytes;
      const number = record.readUInt32LE(readingAt);
      if (number >= names.length)
        throw new DamageError(`a reading of stream ${number}, expected below ${names.length}`);
      return {
        stream: names[number],
        feature: record.readUInt16LE(readingAt + 4),
        timeMs: record.readDoubleLE(readingAt + 6),
        value: record.readFloatLE(readingAt + 14),
      };
    });
    if (marks) onMarks(marks);
    return readings;
  };
}
