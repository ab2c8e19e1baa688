import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJournal, type Journal } from '../../src/state/journal.ts';
import type { LoggedReading } from '../../src/state/readings-record.ts';
import { pathOf } from '../../src/state/state-files.ts';
import { header, makeFolder, reading, recoverAll } from './folder.ts';

function noteAll(journal: Journal, readings: readonly LoggedReading[]): void {
  for (const { stream, feature, timeMs, value } of readings) journal.note(stream, feature, timeMs, value);
}

const many = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => reading(from + i));

describe('the journal', () => {
  test('gives back what was committed, to the bit and in order, and nothing else', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, { header: () => header, first: 1 });
    noteAll(journal, many(0, 500));
    await journal.commit();
    noteAll(journal, many(500, 700));
    await journal.commit();
    noteAll(journal, many(700, 800));
    const { readings, damage, next } = await recoverAll(folder);
    expect(readings).toEqual(many(0, 700));
    expect({ damage, next, states: [] }).toEqual({ damage: [], next: 2, states: [] });
  });

  test('any readings, in any commits, over any files', async () => {
    const one = fc.record({
      stream: fc.string({ unit: 'grapheme', maxLength: 20 }),
      feature: fc.integer({ min: 0, max: 1 }),
      timeMs: fc.double({ noNaN: true }),
      value: fc.float(),
    });
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.array(one, { maxLength: 30 }) },
      { weight: 2, arbitrary: fc.constant('commit' as const) },
      { weight: 1, arbitrary: fc.constant('rotate' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const folder = await makeFolder();
        const journal = createJournal(folder, { header: () => header, first: 1 });
        const expected: LoggedReading[] = [];
        for (const what of steps) {
          if (what === 'commit') await journal.commit();
          else if (what === 'rotate') journal.rotate();
          else {
            noteAll(journal, what);
            expected.push(...what);
          }
        }
        await journal.close();
        expect((await recoverAll(folder)).readings).toEqual(expected);
      }),
      { seed: 8, numRuns: 60 },
    );
  });

  test('answers every commit when what was noted before it is there, however many run at once', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, { header: () => header, first: 1 });
    const seen = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        noteAll(journal, many(10 * i, 10 * i + 10));
        await journal.commit();
        return (await recoverAll(folder)).readings.length >= 10 * i + 10;
      }),
    );
    expect(seen).toEqual(new Array(20).fill(true));
    expect(journal.uncommitted).toBe(0);
  });

  test('cuts a torn tail wherever it was torn, and keeps every whole commit before it', async () => {
    const folder = await makeFolder();
    const path = pathOf(folder, 'log', 1);
    const journal = createJournal(folder, { header: () => header, first: 1 });
    const ends: number[] = [];
    for (let i = 0; i < 4; i++) {
      noteAll(journal, many(5 * i, 5 * i + 5));
      await journal.commit();
      ends.push((await stat(path)).size);
    }
    await journal.close();
    const whole = await readFile(path);
    for (let length = 0; length <= whole.length; length += 7) {
      await writeFile(path, whole.subarray(0, length));
      const { readings, damage } = await recoverAll(folder);
      const commits = ends.filter((end) => end <= length).length;
      expect(readings).toEqual(many(0, 5 * commits));
      // cut off: the next start finds nothing torn
      expect(damage.length).toBeLessThanOrEqual(1);
      expect((await recoverAll(folder)).damage).toEqual([]);
    }
  });

  test('takes no damaged bytes for readings', async () => {
    const folder = await makeFolder();
    const path = pathOf(folder, 'log', 1);
    const journal = createJournal(folder, { header: () => header, first: 1 });
    noteAll(journal, many(0, 5));
    await journal.commit();
    const good = (await stat(path)).size;
    noteAll(journal, many(5, 10));
    await journal.close();
    const whole = await readFile(path);
    for (let at = good; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << (at % 8);
      await writeFile(path, bytes);
      const { readings, damage } = await recoverAll(folder);
      expect(readings).toEqual(many(0, 5));
      expect(damage).toEqual([expect.stringContaining('are no whole record and are cut off')]);
    }
  });

  test('keeps what a failing disk did not take, and writes it once the disk is back', async () => {
    const folder = await makeFolder();
    const journal = createJournal(join(folder, 'state'), { header: () => header, first: 1 });
    noteAll(journal, many(0, 10));
    await expect(journal.commit()).rejects.toThrow('ENOENT');
    noteAll(journal, many(10, 20));
    await expect(journal.commit()).rejects.toThrow('ENOENT');
    expect(journal.uncommitted).toBe(20);
    await mkdir(join(folder, 'state'));
    await journal.commit();
    expect(journal.uncommitted).toBe(0);
    expect((await recoverAll(join(folder, 'state'))).readings).toEqual(many(0, 20));
  });

  test('writes nothing more once it is closed: the file would begin anew', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, { header: () => header, first: 1 });
    noteAll(journal, many(0, 10));
    await journal.close();
    noteAll(journal, many(10, 20));
    await expect(journal.commit()).rejects.toThrow('the log is closed');
    expect((await recoverAll(folder)).readings).toEqual(many(0, 10));
  });

  test('starts anew without what a snapshot has', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, { header: () => header, first: 1 });
    noteAll(journal, many(0, 10));
    await journal.commit();
    noteAll(journal, many(10, 20));
    expect(await journal.restart()).toBe(2);
    noteAll(journal, many(20, 30));
    await journal.close();
    expect((await recoverAll(folder)).readings).toEqual([...many(0, 10), ...many(20, 30)]);
  });
});
