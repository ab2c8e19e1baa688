import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own that soon is full. */
export interface SmallDisk {
  /** Leaves room for nothing. */
  fill(): void;
  /** Takes back what filled it. */
  empty(): void;
  unmount(): void;
}

/** @param folder where it is mounted; made here
 * @param kilobytes a multiple of 4
 * @returns undefined where this user may mount nothing */
export function mountSmallDisk(folder: string, kilobytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux') return undefined;
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  const ballast = join(folder, 'ballast');
  return {
    fill() {
      const page = Buffer.alloc(4096);
      const handle = openSync(ballast, 'a');
      try {
        for (;;) writeSync(handle, page);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(handle);
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    unmount() {
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    },
  };
}
