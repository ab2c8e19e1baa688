import { readFile, rm, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readFrames } from '../../src/state/frames.ts';
import { createJournal } from '../../src/state/journal.ts';
import { type Mark, type MarkSource, type Marks, readMarks, writeMarks } from '../../src/state/marks.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { DamageError } from '../../src/state/state-error.ts';
import { pathOf } from '../../src/state/state-files.ts';
import { header, makeFolder, reading, recoverAll } from './folder.ts';

const mark = (id: number): Mark => ({ id, hash: 7 * id, age: id % 5 });

/** Marks that a test puts in. */
function createSource(): MarkSource & { add(...ids: number[]): void } {
  let fresh: Mark[] = [];
  return {
    add(...ids) {
      fresh.push(...ids.map(mark));
    },
    take() {
      if (fresh.length === 0) return undefined;
      const taken: Marks = { anew: false, passed: fresh.length, marks: fresh };
      fresh = [];
      return taken;
    },
  };
}

const note = (journal: ReturnType<typeof createJournal>, i: number) => {
  const { stream, feature, timeMs, value } = reading(i);
  journal.note(stream, feature, timeMs, value);
};

describe('the marks of a record', () => {
  test('come back as they were written, and other bytes are damage', () => {
    const one = fc.record({
      id: fc.integer({ min: 1, max: 65_535 }),
      hash: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      age: fc.integer({ min: 0, max: 65_535 }),
    });
    const all = fc.record({
      anew: fc.boolean(),
      passed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      marks: fc.array(one),
    });
    fc.assert(
      fc.property(all, fc.nat(), (marks, cut) => {
        const bytes = writeMarks(marks);
        expect(readMarks(bytes)).toEqual(marks);
        expect(() => readMarks(bytes.subarray(0, cut % bytes.length))).toThrow(DamageError);
        expect(() => readMarks(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(DamageError);
      }),
    );
  });
});

describe('the journal with marks', () => {
  test('has them in the frame of the readings that they came with', async () => {
    const folder = await makeFolder();
    const marks = createSource();
    const journal = createJournal(folder, { header: () => header, first: 1, marks });
    for (let i = 0; i < 4; i++) {
      note(journal, i);
      marks.add(i + 1);
      await journal.commit();
    }
    await journal.close();
    const path = pathOf(folder, 'log', 1);
    const whole = await readFile(path);
    expect(readFrames(whole).payloads).toHaveLength(1 + 4);
    for (let length = whole.length; length > 0; length -= 3) {
      await writeFile(path, whole.subarray(0, length));
      const found = await recoverAll(folder);
      expect(found.marks.flatMap((some) => some.marks)).toEqual(found.readings.map((_, i) => mark(i + 1)));
    }
  });

  test('commits marks alone: their readings changed nothing', async () => {
    const folder = await makeFolder();
    const marks = createSource();
    const journal = createJournal(folder, { header: () => header, first: 1, marks });
    marks.add(5);
    expect(journal.uncommitted).toBe(0);
    await journal.commit();
    expect(await recoverAll(folder)).toMatchObject({
      readings: [],
      marks: [{ anew: false, passed: 1, marks: [mark(5)] }],
    });
    await journal.close();
  });

  test('goes on with what is new behind a snapshot, which has all until then', async () => {
    const folder = await makeFolder();
    const marks = createSource();
    const journal = createJournal(folder, { header: () => header, first: 1, marks });
    note(journal, 0);
    marks.add(1, 2);
    const snapshot = await createSnapshot(folder, journal.rotate(), header);
    const until: Marks = { anew: true, passed: 0, marks: [mark(1), mark(2)] };
    await snapshot.finish(writeMarks(until));
    expect((await recoverAll(folder)).marks).toEqual([until]);
    note(journal, 1);
    marks.add(3);
    await journal.close();
    const after: Marks = { anew: false, passed: 1, marks: [mark(3)] };
    expect(await recoverAll(folder)).toMatchObject({ readings: [reading(1)], marks: [until, after] });
    // other weights read the whole log, and the snapshot's marks in their place
    const before: Marks = { anew: false, passed: 2, marks: [mark(1), mark(2)] };
    const other = await recoverAll(folder, { ...header, model: 'cd'.repeat(32) });
    expect(other).toMatchObject({ readings: [reading(0), reading(1)], marks: [before, until, after] });
    await rm(pathOf(folder, 'log', 2));
    expect((await recoverAll(folder, { ...header, model: 'cd'.repeat(32) })).marks).toEqual([before, until]);
  });

  test('reads a folder of format 1, whose log has none, and goes on in it', async () => {
    const folder = await makeFolder();
    const old = createJournal(folder, { header: () => ({ ...header, format: 1 }), first: 1 });
    note(old, 0);
    await old.commit();
    note(old, 1);
    await old.close();
    expect(await recoverAll(folder)).toMatchObject({
      readings: [reading(0), reading(1)],
      marks: [],
      damage: [],
    });
    const marks = createSource();
    const journal = createJournal(folder, { header: () => header, first: 2, marks });
    note(journal, 2);
    marks.add(9);
    await journal.close();
    expect(await recoverAll(folder)).toMatchObject({
      readings: [reading(0), reading(1), reading(2)],
      marks: [{ anew: false, marks: [mark(9)] }],
      damage: [],
    });
  });

  test('writes the bytes of format 1 behind the header where there are none', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, { header: () => header, first: 1 });
    note(journal, 1);
    await journal.close();
    const [, record] = readFrames(await readFile(pathOf(folder, 'log', 1))).payloads;
    // one name, s1; one reading: stream 0, feature 1, its time and value
    const { timeMs, value } = reading(1);
    const expected = Buffer.alloc(30);
    expected.writeUInt32LE(1, 0);
    expected.writeUInt16LE(2, 4);
    expected.write('s1', 6);
    expected.writeUInt32LE(1, 8);
    expected.writeUInt16LE(1, 16);
    expected.writeDoubleLE(timeMs, 18);
    expected.writeFloatLE(value, 26);
    expect(record).toEqual(expected);
  });
});
