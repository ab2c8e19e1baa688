import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelShelf } from '../../src/service/model-shelf.ts';
import { makeFolder } from '../state/folder.ts';

const [first, second, third] = ['ab', 'cd', 'ef'].map((byte) => byte.repeat(32));

test('a shelf removes the models that its record does not name, whole or half written, and nothing else', async () => {
  const folder = await makeFolder();
  const shelf = openModelShelf(folder, 'plant');
  for (const id of [first, second, third]) shelf.keep(id, Buffer.from(id));
  const place = join(folder, 'models-plant');
  mkdirSync(join(place, 'old'));
  const others = ['notes.txt', 'weather.pb', `${first}.pb.bak`];
  for (const name of [...others, `${third}.pb.new`]) writeFileSync(join(place, name), 'x');
  shelf.write({ serving: first, previous: second, highestRelease: 1 });
  expect(readdirSync(place).sort()).toEqual(
    [...others, 'old', 'models.json', `${first}.pb`, `${second}.pb`].sort(),
  );
});

test('a model that cannot be removed is said once, and the record is that of the disk', async () => {
  const folder = await makeFolder();
  const troubles: Error[] = [];
  const shelf = openModelShelf(folder, 'plant', (error) => troubles.push(error));
  shelf.keep(first, Buffer.from(first));
  // the system removes no folder as it does a file
  mkdirSync(join(folder, 'models-plant', `${second}.pb`));
  for (const highestRelease of [1, 2]) {
    shelf.write({ serving: first, highestRelease });
    expect(shelf.read()).toEqual({ serving: first, highestRelease });
  }
  expect(troubles.map(({ message }) => message)).toEqual([expect.stringContaining(`${second}.pb`)]);
});
