import { DamageError } from './state-error.ts';

/** A message as a broker delivers it again: under the same packet id, and with the same content. */
export interface Mark {
  /** 1 to 65,535 */
  readonly id: number;
  /** Of what it said, 32 bits. */
  readonly hash: number;
  /** Messages that have come after it, below 65,536. */
  readonly age: number;
}

/** What a record of the log, or a snapshot, says of messages whose readings have no time of their own. */
export interface Marks {
  /** What was said before is over: the session was a new one, or all that still counts stands here. */
  readonly anew: boolean;
  /** Messages that have come since the record before. */
  readonly passed: number;
  readonly marks: readonly Mark[];
}

/** Where the log gets them from. */
export interface MarkSource {
  /** What is new since the last call, of messages whose readings are noted; undefined when nothing is. */
  take(): Marks | undefined;
}

// One byte for `anew`, four for `passed`, four for how many marks there are, then 8 bytes each: id, age, hash.

const headBytes = 9;
const markBytes = 8;
const mostPassed = 2 ** 32 - 1;

export function writeMarks({ anew, passed, marks }: Marks): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + marks.length * markBytes);
  bytes.writeUInt8(anew ? 1 : 0, 0);
  bytes.writeUInt32LE(Math.min(passed, mostPassed), 1);
  let at = bytes.writeUInt32LE(marks.length, 5);
  for (const { id, age, hash } of marks) {
    at = bytes.writeUInt16LE(id, at);
    at = bytes.writeUInt16LE(age, at);
    at = bytes.writeUInt32LE(hash, at);
  }
  return bytes;
}

/** @throws DamageError for bytes that `writeMarks` did not make */
export function readMarks(bytes: Buffer): Marks {
  const count = bytes.length < headBytes ? Number.NaN : bytes.readUInt32LE(5);
  if (bytes.length !== headBytes + count * markBytes) {
    throw new DamageError(`${bytes.length} bytes behind the readings of a record, expected ${count} marks`);
  }
  const marks = Array.from({ length: count }, (_, i): Mark => {
    const at = headBytes + i * markBytes;
    return {
      id: bytes.readUInt16LE(at),
      age: bytes.readUInt16LE(at + 2),
      hash: bytes.readUInt32LE(at + 4),
    };
  });
  return { anew: bytes.readUInt8(0) !== 0, passed: bytes.readUInt32LE(1), marks };
}
