import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createJournal } from '../../src/state/journal.ts';
import { type Mark, type MarkSource, writeMarks } from '../../src/state/marks.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { StateError } from '../../src/state/state-error.ts';
import { pathOf, type StateFile } from '../../src/state/state-files.ts';
import { createDice, type Dice } from '../fixtures/random-model.ts';
import { type Found, header, makeFolder, reading, recoverAll } from './folder.ts';

/** In all; the long suite sets 100,000. */
const cases = Number(process.env.CELLSTREAM_MUTANTS ?? 2_000);
const timeoutMs = Math.max(60_000, 20 * cases);

/** Damages a copy of some bytes; `ends` are the ends of their whole frames. */
type Mutation = (bytes: Buffer, dice: Dice, ends: readonly number[]) => Buffer;

const noise = (length: number, dice: Dice) => Buffer.from(Array.from({ length }, () => dice.int(0, 255)));
const splice = (bytes: Buffer, at: number, length: number, by: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(Math.min(bytes.length, at + length))]);
const lengths = [0, 1, 7, 8, 255, 65_536, 2 ** 28, 2 ** 28 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Where a frame begins and ends. */
function pickFrame(dice: Dice, ends: readonly number[]): [from: number, to: number] {
  const i = dice.int(0, ends.length - 1);
  return [i === 0 ? 0 : ends[i - 1], ends[i]];
}

const mutations: Readonly<Record<string, Mutation>> = {
  'flipped bits': (bytes, dice) => {
    const changed = Buffer.from(bytes);
    for (let n = dice.pick([1, 1, 2, 8]); n > 0; n--) {
      changed[dice.int(0, bytes.length - 1)] ^= 1 << dice.int(0, 7);
    }
    return changed;
  },
  'inserted bytes': (bytes, dice) =>
    splice(bytes, dice.int(0, bytes.length), 0, noise(dice.int(1, 40), dice)),
  'deleted bytes': (bytes, dice) =>
    splice(bytes, dice.int(0, bytes.length - 1), dice.int(1, 40), Buffer.alloc(0)),
  'a torn end': (bytes, dice) => bytes.subarray(0, dice.int(0, bytes.length - 1)),
  'zeros at the end': (bytes, dice) => {
    const whole = bytes.subarray(0, dice.int(0, bytes.length));
    return Buffer.concat([whole, Buffer.alloc(dice.int(1, 5_000))]);
  },
  'a frame twice': (bytes, dice, ends) => {
    const [from, to] = pickFrame(dice, ends);
    return splice(bytes, dice.pick([from, to, bytes.length]), 0, bytes.subarray(from, to));
  },
  'a frame less': (bytes, dice, ends) => {
    const [from, to] = pickFrame(dice, ends);
    return splice(bytes, from, to - from, Buffer.alloc(0));
  },
  'an inflated length': (bytes, dice, ends) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt32LE(dice.pick(lengths), pickFrame(dice, ends)[0]);
    return changed;
  },
  'strange bytes under a right checksum': (bytes, dice, ends) => {
    const changed = Buffer.from(bytes);
    const [from, to] = pickFrame(dice, ends);
    const payload = changed.subarray(from + 8, to);
    for (let n = dice.int(1, 3); n > 0; n--) {
      const at = dice.int(0, payload.length - 1);
      if (at + 4 <= payload.length && dice.chance(0.5)) payload.writeUInt32LE(dice.pick(lengths), at);
      else payload[at] = dice.int(0, 255);
    }
    changed.writeUInt32LE(crc32(payload), from + 4);
    return changed;
  },
};
const names = Object.keys(mutations);

/** Ends of the frames of a good file. */
function endsOf(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    at += 8 + bytes.readUInt32LE(at);
    ends.push(at);
  }
  return ends;
}

const commitSize = 6;
const commitsAFile = 5;
/** Of a log file. */
const fileSize = commitSize * commitsAFile;

/** A snapshot between two files of the log, and another behind them. */
async function makeHistory(): Promise<string> {
  const folder = await makeFolder();
  let noted: Mark[] = [];
  const marks: MarkSource = {
    take() {
      const taken = noted;
      noted = [];
      return taken.length === 0 ? undefined : { anew: taken[0].id % 4 === 0, passed: 2, marks: taken };
    },
  };
  const journal = createJournal(folder, { header: () => header, first: 1, marks });
  for (let file = 0; file < 2; file++) {
    for (let i = 0; i < fileSize; i++) {
      const { stream, feature, timeMs, value } = reading(fileSize * file + i);
      journal.note(stream, feature, timeMs, value);
      if (i % 2 === 0) noted.push({ id: i + 1, hash: 1000 * i, age: 0 });
      if (i % commitSize === commitSize - 1) await journal.commit();
    }
    if (file === 1) continue;
    const snapshot = await createSnapshot(folder, journal.rotate(), header);
    for (let i = 0; i < 9; i++) snapshot.add(Buffer.from(`the state of stream ${i}`.repeat(9)));
    await snapshot.finish(writeMarks({ anew: true, passed: 0, marks: [{ id: 1, hash: 2, age: 0 }] }));
  }
  await journal.close();
  return folder;
}

interface Damaged {
  readonly name: string;
  readonly kind: StateFile;
  readonly number: number;
  readonly good: Buffer;
  readonly bytes: Buffer;
}

/** What must be there whatever was damaged: every record before the first byte that is another. */
function check({ name, kind, number, good, bytes }: Damaged, found: Found): void {
  const first = good.findIndex((byte, at) => byte !== bytes[at]);
  const firstChange = first < 0 ? good.length : first;
  const whole = endsOf(good).filter((end) => end <= firstChange).length - 1;
  const last = (readings: Found['readings'], count: number) => readings.slice(readings.length - count);
  if (kind === 'snapshot') {
    // all of it or nothing
    if (found.states.length === 0) {
      expect(found.readings).toEqual(Array.from({ length: 2 * fileSize }, (_, i) => reading(i)));
      return;
    }
    expect(found.readings).toEqual(Array.from({ length: fileSize }, (_, i) => reading(fileSize + i)));
    if (name !== 'strange bytes under a right checksum') expect(found.states).toHaveLength(9);
    return;
  }
  expect(found.states).toHaveLength(9);
  if (number === 1) {
    // the snapshot stands for it
    expect(last(found.readings, fileSize)).toEqual(
      Array.from({ length: fileSize }, (_, i) => reading(fileSize + i)),
    );
    return;
  }
  const kept = Array.from({ length: Math.max(0, whole) * commitSize }, (_, i) => reading(fileSize + i));
  expect(found.readings.slice(0, kept.length)).toEqual(kept);
}

/** What a start finds with this file, and the memory that it takes. */
async function recoverWith(path: string, bytes: Buffer): Promise<{ found: Found; grown: number }> {
  await rm(`${path}.damaged`, { force: true });
  await writeFile(path, bytes);
  const before = process.memoryUsage();
  const found = await recoverAll(dirname(path));
  const after = process.memoryUsage();
  return { found, grown: after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers };
}

describe(`${cases} damaged files of a state folder`, () => {
  test.each(names)(
    'with %s never end a start, take no memory, and keep what was whole before',
    async (name) => {
      const dice = createDice(names.indexOf(name));
      const folder = await makeHistory();
      const files: readonly [StateFile, number][] = [
        ['log', 1],
        ['log', 2],
        ['log', 2],
        ['snapshot', 2],
      ];
      for (let i = 0; i < cases / names.length; i++) {
        const [kind, number] = dice.pick(files);
        const path = pathOf(folder, kind, number);
        const good = await readFile(path);
        const bytes = mutations[name](good, dice, endsOf(good));
        const mostGrown = 32 * bytes.length + 8e6;
        try {
          let { found, grown } = await recoverWith(path, bytes);
          // what is not freed yet, of work before too, counts now and then
          for (let tries = 0; tries < 5 && grown >= mostGrown; tries++) {
            global.gc?.();
            ({ found, grown } = await recoverWith(path, bytes));
          }
          expect(grown).toBeLessThan(mostGrown);
          check({ name, kind, number, good, bytes }, found);
          // what was found once is not found again
          expect((await recoverAll(folder)).readings).toEqual(found.readings);
        } catch (error) {
          // only a header can say so, and only under a right checksum
          const isNewer =
            error instanceof StateError && error.message.includes('a newer cellstream wrote it');
          if (!isNewer) throw new Error(`mutant ${i} of ${path}: ${error}`, { cause: error });
        }
        await rm(`${path}.damaged`, { force: true });
        await writeFile(path, good);
        expect((await stat(path)).size).toBe(good.length);
      }
    },
    timeoutMs,
  );
});
