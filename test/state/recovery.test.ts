import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { tidy } from '../../src/state/disk-error.ts';
import { type FileHeader, fileFormat } from '../../src/state/file-header.ts';
import { createJournal } from '../../src/state/journal.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { pathOf } from '../../src/state/state-files.ts';
import { header, makeDisk, makeFolder, reading, recoverAll } from './folder.ts';
import { mountsDisks } from './small-disk.ts';

/** A log and a snapshot behind it, twice, and a log after the second. */
async function makeHistory(where?: string): Promise<string> {
  const folder = where ?? (await makeFolder());
  const journal = createJournal(folder, { header: () => header, first: 1 });
  for (let part = 0; part < 3; part++) {
    for (let i = 0; i < 4; i++) {
      const { stream, feature, timeMs, value } = reading(4 * part + i);
      journal.note(stream, feature, timeMs, value);
    }
    await journal.commit();
    if (part === 2) continue;
    const snapshot = await createSnapshot(folder, journal.rotate(), header);
    for (let i = 0; i <= part; i++) snapshot.add(Buffer.from(`state ${part}.${i}`));
    await snapshot.finish();
  }
  await journal.close();
  return folder;
}

const readings = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => reading(from + i));
const texts = (states: readonly Buffer[]) => states.map(String);

describe('recovery', () => {
  test('takes the newest snapshot and what was read after it', async () => {
    const found = await recoverAll(await makeHistory());
    expect(texts(found.states)).toEqual(['state 1.0', 'state 1.1']);
    expect(found.readings).toEqual(readings(8, 12));
    expect({ damage: found.damage, next: found.next }).toEqual({ damage: [], next: 4 });
  });

  test('sets a damaged snapshot aside, whichever byte it is, and takes the one before with all since then', async () => {
    const folder = await makeHistory();
    const path = pathOf(folder, 'snapshot', 3);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 5) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x10;
      await writeFile(path, bytes);
      const found = await recoverAll(folder);
      expect(texts(found.states)).toEqual(['state 0.0']);
      expect(found.readings).toEqual(readings(4, 12));
      expect(found.damage).toEqual([expect.stringContaining('it is set aside')]);
      expect(await readdir(folder)).toContain('snapshot-00000003.bin.damaged');
    }
  });

  test.each([
    ['cut short', (whole: Buffer) => whole.subarray(0, whole.length - 12)],
    ['longer than it was', (whole: Buffer) => Buffer.concat([whole, Buffer.from('more')])],
    ['empty', () => Buffer.alloc(0)],
  ])('a snapshot that is %s is no snapshot', async (_, change) => {
    const folder = await makeHistory();
    const path = pathOf(folder, 'snapshot', 3);
    await writeFile(path, change(await readFile(path)));
    expect(texts((await recoverAll(folder)).states)).toEqual(['state 0.0']);
  });

  test('an unfinished snapshot does not count', async () => {
    const folder = await makeHistory();
    const snapshot = await createSnapshot(folder, 9, header);
    snapshot.add(Buffer.from('half'));
    await snapshot.flush();
    expect(texts((await recoverAll(folder)).states)).toEqual(['state 1.0', 'state 1.1']);
    await snapshot.abandon();
    expect((await readdir(folder)).filter((name) => name.includes('9'))).toEqual([]);
  });

  test('other weights get the readings and no state', async () => {
    const found = await recoverAll(await makeHistory(), { ...header, model: 'cd'.repeat(32) });
    expect(found.states).toEqual([]);
    expect(found.readings).toEqual(readings(0, 12));
  });

  test('a model with its features in another order gets them by name', async () => {
    const other: FileHeader = { ...header, model: 'cd'.repeat(32), features: ['wind', 'dewp'] };
    const found = await recoverAll(await makeHistory(), other);
    expect(found.readings).toEqual(readings(0, 12).filter(({ feature }) => feature === 1));
  });

  test('refuses what a newer program wrote', async () => {
    const folder = await makeFolder();
    const journal = createJournal(folder, {
      header: () => ({ ...header, format: fileFormat + 1 }),
      first: 1,
    });
    journal.note('s', 0, 1, 1);
    await journal.close();
    await expect(recoverAll(folder)).rejects.toThrow(
      `has format ${fileFormat + 1}, expected up to ${fileFormat}`,
    );
  });

  test('an empty folder is a beginning', async () => {
    expect(await recoverAll(await makeFolder())).toMatchObject({
      states: [],
      readings: [],
      next: 1,
      damage: [],
    });
  });

  test('a log of which only the start of its header was written is none', async () => {
    const folder = await makeHistory();
    await appendFile(pathOf(folder, 'log', 4), 'abc');
    const found = await recoverAll(folder);
    expect(found.readings).toEqual(readings(8, 12));
    expect(found.next).toBe(5);
  });

  test.runIf(mountsDisks())(
    'finds the same on a disk that is read-only, where nothing can be mended',
    async () => {
      const { folder, disk } = await makeDisk();
      await makeHistory(folder);
      await appendFile(pathOf(folder, 'snapshot', 3), 'more');
      await appendFile(pathOf(folder, 'log', 2), 'abc');
      await writeFile(pathOf(folder, 'log', 4), 'no header');
      await writeFile(`${pathOf(folder, 'snapshot', 5)}.new`, 'half');
      const names = await readdir(folder);
      disk.makeReadOnly();
      const found = await recoverAll(folder);
      expect(await readdir(folder)).toEqual(names);
      expect(texts(found.states)).toEqual(['state 0.0']);
      expect(found.readings).toEqual(readings(4, 12));
      expect(found.damage).toEqual([
        expect.stringMatching(
          /snapshot-00000003.*; it is left out and stays \(EROFS\), and an older one is taken/,
        ),
        expect.stringMatching(/log-00000002.*: 3 bytes at its end .* are left out and stay \(EROFS\)$/),
        expect.stringMatching(/log-00000004.*; it is left out and stays \(EROFS\)$/),
      ]);
      disk.makeWritable();
      const later = await recoverAll(folder);
      expect({ ...later, damage: [] }).toEqual({ ...found, damage: [] });
      expect(later.damage).toEqual([
        expect.stringContaining('is set aside'),
        expect.stringContaining('are cut off'),
        expect.stringContaining('is set aside'),
      ]);
      expect((await recoverAll(folder)).damage).toEqual([]);
      expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
    },
  );

  test('ends with what is no refusal of the disk', async () => {
    const folder = await makeHistory();
    await appendFile(pathOf(folder, 'snapshot', 3), 'more');
    await mkdir(`${pathOf(folder, 'snapshot', 3)}.damaged`);
    await expect(recoverAll(folder)).rejects.toThrow('EISDIR');
  });

  test.each(['EROFS', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EIO'])('takes %s for one', async (code) => {
    const refused = Promise.reject(Object.assign(new Error('no'), { code }));
    expect(await tidy(refused)).toBe(code);
  });
});
