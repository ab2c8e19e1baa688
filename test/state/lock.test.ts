import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockFolder } from '../../src/state/lock.ts';
import { makeFolder } from './folder.ts';

test('a folder belongs to one process at a time', async () => {
  const folder = await makeFolder();
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow('is in use by another cellstream');
  await lock.release();
  await (await lockFolder(folder)).release();
});

test('a process that is killed leaves the folder to the next; one that is only stopped does not', async () => {
  const folder = await makeFolder();
  const code = `require('node:net').createServer(() => {}).listen(${JSON.stringify(join(folder, 'lock'))}, () => console.log('held'))`;
  const holder = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  holder.kill('SIGSTOP');
  await expect(lockFolder(folder)).rejects.toThrow('is in use');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await lockFolder(folder)).release();
});

test('a folder that cannot be held says why', async () => {
  await expect(lockFolder('/nowhere/state')).rejects.toThrow(
    /cannot hold \/nowhere\/state: .*(ENOENT|EACCES)/,
  );
  await expect(lockFolder(`/tmp/${'long'.repeat(40)}`)).rejects.toThrow('too long to hold');
});
