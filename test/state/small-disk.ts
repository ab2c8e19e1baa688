import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own that soon is full. */
export interface SmallDisk {
  /** Leaves room for nothing, not even for an empty file. */
  fill(): void;
  /** Takes back what filled it. */
  empty(): void;
  /** As the system does with one that has errors. Nobody may be writing a file. */
  makeReadOnly(): void;
  makeWritable(): void;
  unmount(): void;
}

/** More than a service ever has in its folder. */
const mostFiles = 512;

/** @param folder where it is mounted; made here
 * @param kilobytes a multiple of 4
 * @returns undefined where this user may mount nothing */
export function mountSmallDisk(folder: string, kilobytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux') return undefined;
  mkdirSync(folder);
  const mount = (...options: readonly string[]) =>
    execFileSync('mount', ['-o', options.join(), '-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
  try {
    mount(`size=${kilobytes}k`, `nr_inodes=${mostFiles}`);
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  const ballast = join(folder, 'ballast');
  mkdirSync(ballast);
  let files = 0;
  return {
    fill() {
      const page = Buffer.alloc(4096);
      const handle = openSync(join(ballast, 'bytes'), 'a');
      untilFull(() => writeSync(handle, page));
      closeSync(handle);
      untilFull(() => closeSync(openSync(join(ballast, String(files++)), 'w')));
    },
    empty() {
      for (const name of readdirSync(ballast)) rmSync(join(ballast, name));
    },
    makeReadOnly: () => void mount('remount', 'ro'),
    makeWritable: () => void mount('remount', 'rw'),
    unmount() {
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    },
  };
}

/** Whether this user may mount a disk. */
export function mountsDisks(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-mount-'));
  const disk = mountSmallDisk(join(folder, 'disk'), 64);
  disk?.unmount();
  rmdirSync(folder);
  return disk !== undefined;
}

function untilFull(write: () => void): void {
  try {
    for (;;) write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
