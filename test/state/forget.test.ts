import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { forgetStreams } from '../../src/state/forget.ts';
import { createJournal } from '../../src/state/journal.ts';
import type { Marks } from '../../src/state/marks.ts';
import { pathOf } from '../../src/state/state-files.ts';
import { header, makeFolder, reading, recoverAll } from './folder.ts';

test('the log forgets streams, and keeps the readings of the others and all marks, in their order', async () => {
  const folder = await makeFolder();
  let messages = 0;
  const take = (): Marks => ({ anew: false, passed: ++messages, marks: [{ id: messages, hash: 5, age: 0 }] });
  const journal = createJournal(folder, { header: () => header, first: 1, marks: { take } });
  const note = (stream: string, i: number) => {
    const { feature, timeMs, value } = reading(i);
    journal.note(stream, feature, timeMs, value);
  };
  for (let i = 0; i < 60; i++) {
    if (i === 30) journal.rotate();
    // all that a record has is of one stream, of two, or of none that goes
    note(['a', 'b', 'c'][i % 3], i);
    if (i % 4 > 0) await journal.commit();
  }
  journal.rotate();
  note('c', 60);
  await journal.close();
  const before = await recoverAll(folder);
  const untouched = await readFile(pathOf(folder, 'log', 3));

  await forgetStreams(folder, new Set(['a', 'b', 'nobody']), String);
  const after = await recoverAll(folder);
  expect(after.readings).toHaveLength(21);
  expect(after.readings).toEqual(before.readings.filter(({ stream }) => stream === 'c'));
  expect(after.marks).toEqual(before.marks);
  expect(after.damage).toEqual([]);
  expect(await readFile(pathOf(folder, 'log', 3))).toEqual(untouched);
});
