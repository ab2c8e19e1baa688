import { appendFile, readFile, stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createJournal } from '../../src/state/journal.ts';
import type { LoggedReading } from '../../src/state/readings-record.ts';
import { readRecentLog } from '../../src/state/recent-log.ts';
import { pathOf } from '../../src/state/state-files.ts';
import { header, makeFolder, reading } from './folder.ts';

/** Three files of ten readings each. */
async function makeLog(headers = [header, header, header]): Promise<string> {
  const folder = await makeFolder();
  for (const [file, written] of headers.entries()) {
    const journal = createJournal(folder, { header: () => written, first: file + 1 });
    for (let i = 0; i < 10; i++) {
      const { stream, feature, timeMs, value } = reading(10 * file + i);
      journal.note(stream, feature, timeMs, value);
      if (i === 4) await journal.commit();
    }
    await journal.close();
  }
  return folder;
}

async function readAll(folder: string, bytes = 1e6): Promise<LoggedReading[]> {
  const readings: LoggedReading[] = [];
  for await (const record of readRecentLog(folder, header.features, bytes)) readings.push(...record);
  return readings;
}

const readings = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => reading(from + i));

describe('the recent log', () => {
  test('gives what was committed, file after file, and the newest of it where that is too much', async () => {
    const folder = await makeLog();
    expect(await readAll(folder)).toEqual(readings(0, 30));
    const { size } = await stat(pathOf(folder, 'log', 3));
    expect(await readAll(folder, 2.5 * size)).toEqual(readings(10, 30));
    expect(await readAll(folder, 1)).toEqual(readings(20, 30));
  });

  test('leaves half a record where it stands: somebody is writing it', async () => {
    const folder = await makeLog();
    await appendFile(pathOf(folder, 'log', 3), Buffer.from([40, 0, 0, 0, 1, 2]));
    const before = await readFile(pathOf(folder, 'log', 3));
    expect(await readAll(folder)).toEqual(readings(0, 30));
    expect(await readFile(pathOf(folder, 'log', 3))).toEqual(before);
  });

  test('passes over files of other features', async () => {
    const folder = await makeLog([header, { ...header, features: ['dewp', 'temp'] }, header]);
    expect(await readAll(folder)).toEqual([...readings(0, 10), ...readings(20, 30)]);
  });
});
