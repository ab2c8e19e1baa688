import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../src/state/lock.ts';
import { makeDisk, makeFolder } from './folder.ts';
import { mountsDisks, type SmallDisk } from './small-disk.ts';

/** Of the build: a process that holds the folder from the given moment on, and says whether it does. */
const contender = `
import { lockFolder } from ${JSON.stringify(new URL('../../dist/state/lock.js', import.meta.url).href)};
process.on('message', async ({ folder, atMs }) => {
  while (Date.now() < atMs);
  process.send(await lockFolder(folder).then(() => 'held', ({ message }) => message));
});
process.send('ready');
`;

/** @param isApart as in a container: in a network namespace of its own */
async function startContender(isApart = false): Promise<ChildProcess> {
  const args = ['--input-type=module', '-e', contender];
  const child = isApart
    ? fork('-', { execPath: 'unshare', execArgv: ['--net', process.execPath, ...args] })
    : fork('-', { execArgv: args });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

/** Whether this user may have another network namespace. */
const canBeApart = spawnSync('unshare', ['--net', 'true']).status === 0;

async function hold(child: ChildProcess, folder: string, atMs = 0): Promise<string> {
  child.send({ folder, atMs });
  return (await once(child, 'message'))[0];
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

test('a folder belongs to one process at a time, and nothing stays in it', async () => {
  const folder = await makeFolder();
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
  expect(await readdir(folder)).toEqual(['lock']);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder)).release();
});

test('a process that is killed leaves the folder to the next; one that is only stopped does not', async () => {
  const folder = await makeFolder();
  const holder = await startContender();
  expect(await hold(holder, folder)).toBe('held');
  holder.kill('SIGSTOP');
  await expect(lockFolder(folder)).rejects.toThrow('is in use');
  await kill(holder);
  expect(await readdir(join(folder, 'lock'))).toHaveLength(1);
  const lock = await lockFolder(folder);
  expect(await readdir(join(folder, 'lock'))).toHaveLength(1);
  await lock.release();
});

test('what a process has left that was killed as it tried goes with the next, but not what is new', async () => {
  const folder = await makeFolder();
  for (const name of ['lock.old', 'lock.new']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'socket'), '');
  }
  const yesterday = Date.now() / 1000 - 86_400;
  await utimes(join(folder, 'lock.old'), yesterday, yesterday);
  const lock = await lockFolder(folder);
  expect((await readdir(folder)).sort()).toEqual(['lock', 'lock.new']);
  await lock.release();
});

/** Four at a time on a folder whose owner was killed. */
async function race(isApart: (contender: number) => boolean): Promise<void> {
  const folder = await makeFolder();
  const contenders = await Promise.all([0, 1, 2, 3].map((i) => startContender(isApart(i))));
  for (let round = 0; round < 20; round++) {
    const atMs = Date.now() + 5;
    const answers = await Promise.all(contenders.map((child) => hold(child, folder, atMs)));
    const winners = contenders.filter((_, i) => answers[i] === 'held');
    expect(winners, `round ${round}: ${answers}`).toHaveLength(1);
    expect(answers.filter((answer) => answer.includes('is in use by another cellstream'))).toHaveLength(3);
    await kill(winners[0]);
    const place = contenders.indexOf(winners[0]);
    contenders[place] = await startContender(isApart(place));
  }
}

describe('of processes that start at once where one was killed, exactly one gets the folder,', () => {
  test('with one network', () => race(() => false));
  test.runIf(canBeApart)('each with a network of its own', () => race(() => true));
  test.runIf(canBeApart)('two and two with the same one', () => race((i) => i < 2));
});

const unwritable: readonly [string, (disk: SmallDisk) => void, (disk: SmallDisk) => void][] = [
  ['read-only', (disk) => disk.makeReadOnly(), (disk) => disk.makeWritable()],
  ['full', (disk) => disk.fill(), (disk) => disk.empty()],
];

describe.runIf(mountsDisks()).each(unwritable)('on a disk that is %s', (_, spoil, mend) => {
  test('a folder belongs to one process at a time, also when the disk takes writes again', async () => {
    const { folder, disk } = await makeDisk();
    spoil(disk);
    const holder = await startContender();
    expect(await hold(holder, folder)).toBe('held');
    await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
    mend(disk);
    await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
    await kill(holder);
    const lock = await lockFolder(folder);
    expect(await readdir(join(folder, 'lock'))).toHaveLength(1);
    await lock.release();
    expect(await readdir(folder)).toEqual(['ballast']);
  });

  test('a folder that was held before is given back, and is free for the next', async () => {
    const { folder, disk } = await makeDisk();
    const before = await lockFolder(folder);
    spoil(disk);
    await before.release();
    await (await lockFolder(folder)).release();
    mend(disk);
    await (await lockFolder(folder)).release();
    expect(await readdir(folder)).toEqual(['ballast']);
  });

  test.runIf(canBeApart)(
    'a folder that another container held before stays its own until it ends',
    async () => {
      const { folder, disk } = await makeDisk();
      const holder = await startContender(true);
      expect(await hold(holder, folder)).toBe('held');
      spoil(disk);
      await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
      await kill(holder);
      await (await lockFolder(folder)).release();
      mend(disk);
      await (await lockFolder(folder)).release();
      expect(await readdir(folder)).toEqual(['ballast']);
    },
  );
});

test('a folder that cannot be held says why', async () => {
  await expect(lockFolder('/nowhere/state')).rejects.toThrow('there is no state folder /nowhere/state');
  const long = join(await makeFolder(), 'long'.repeat(40));
  await mkdir(long);
  await expect(lockFolder(long)).rejects.toThrow('too long to hold');
});

test('the socket that an older cellstream has for a lock counts while it listens, and not after a kill', async () => {
  const folder = await makeFolder();
  const code = `require('node:net').createServer().listen(process.argv.at(-1), () => process.send('listening'))`;
  const child = fork('-', [join(folder, 'lock')], { execArgv: ['-e', code] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
  await kill(child);
  const lock = await lockFolder(folder);
  await lock.release();
});
