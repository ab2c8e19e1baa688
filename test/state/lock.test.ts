import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../src/state/lock.ts';
import { makeFolder } from './folder.ts';

/** Of the build: a process that holds the folder from the given moment on, and says whether it does. */
const contender = `
import { lockFolder } from ${JSON.stringify(new URL('../../dist/state/lock.js', import.meta.url).href)};
process.on('message', async ({ folder, atMs }) => {
  while (Date.now() < atMs);
  process.send(await lockFolder(folder).then(() => 'held', ({ message }) => message));
});
process.send('ready');
`;

async function startContender(): Promise<ChildProcess> {
  const child = fork('-', { execArgv: ['--input-type=module', '-e', contender] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

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

test('of processes that start at once where one was killed, exactly one gets the folder', async () => {
  const folder = await makeFolder();
  const contenders = await Promise.all(Array.from({ length: 4 }, startContender));
  for (let round = 0; round < 20; round++) {
    const atMs = Date.now() + 5;
    const answers = await Promise.all(contenders.map((child) => hold(child, folder, atMs)));
    const winners = contenders.filter((_, i) => answers[i] === 'held');
    expect(winners, `round ${round}: ${answers}`).toHaveLength(1);
    expect(answers.filter((answer) => answer.includes('is in use by another cellstream'))).toHaveLength(3);
    await kill(winners[0]);
    contenders[contenders.indexOf(winners[0])] = await startContender();
  }
});

test('a folder that cannot be held says why', async () => {
  await expect(lockFolder('/nowhere/state')).rejects.toThrow(
    /cannot hold \/nowhere\/state: .*(ENOENT|EACCES)/,
  );
  await expect(lockFolder(`/tmp/${'long'.repeat(40)}`)).rejects.toThrow('too long to hold');
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
