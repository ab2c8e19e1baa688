import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FileHeader, fileFormat } from '../../src/state/file-header.ts';
import type { Marks } from '../../src/state/marks.ts';
import type { LoggedReading } from '../../src/state/readings-record.ts';
import { type Recovered, recover } from '../../src/state/recovery.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

/** A folder of the test's own, gone with it. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cellstream-state-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a kill would leave now of a folder that is perhaps in use: its files, without the lock. Where one goes
 * meanwhile, a newer one that the list lacks stands in its place: the copy begins again. */
export async function copyFolder(folder: string): Promise<string> {
  const copy = join(await makeFolder(), 'copy');
  for (;;) {
    await mkdir(copy);
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isFile()) copyFileSync(join(folder, entry.name), join(copy, entry.name));
      }
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      rmSync(copy, { recursive: true });
    }
  }
}

/** A disk of the test's own, where this user may mount one. */
export async function makeDisk(kilobytes = 512): Promise<{ folder: string; disk: SmallDisk }> {
  const folder = join(await makeFolder(), 'disk');
  const disk = mountSmallDisk(folder, kilobytes) as SmallDisk;
  onTestFinished(disk.unmount);
  return { folder, disk };
}

export const header: FileHeader = { format: fileFormat, model: 'ab'.repeat(32), features: ['temp', 'dewp'] };

export function reading(i: number, stream = `s${i % 3}`): LoggedReading {
  return {
    stream,
    feature: i % 2,
    timeMs: 1.7e12 + 1000 * i + 0.25,
    value: i % 5 === 0 ? Number.NaN : Math.fround(i / 7),
  };
}

export interface Found extends Omit<Recovered, 'batches'> {
  readonly readings: LoggedReading[];
  readonly marks: Marks[];
  readonly damage: string[];
}

/** All that a folder gives back. */
export async function recoverAll(folder: string, wanted: FileHeader = header): Promise<Found> {
  const damage: string[] = [];
  const marks: Marks[] = [];
  const { batches, ...found } = await recover(folder, {
    header: wanted,
    onDamage: (message) => damage.push(message),
    onMarks: (some) => marks.push(some),
  });
  const readings: LoggedReading[] = [];
  for (const batch of batches) readings.push(...batch);
  return { ...found, readings, marks, damage };
}
