import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalRecipe } from '../config/recipe.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { countParameters } from '../train/parameters.ts';
import type { Prepared } from './prepare.ts';

/** The newest checkpoint of a training, beside its results until they are written. */
export interface CheckpointFile {
  readonly path: string;
  /** undefined when there is none. */
  read(): Checkpoint | undefined;
  /** Keeps a checkpoint, at most one every few seconds: a resume from an older one gives the same bits. */
  offer(checkpoint: Checkpoint): void;
  remove(): void;
}

const INTERVAL_MS = 2000;

export function createCheckpointFile(
  folder: string,
  { recipe, dataset, topology }: Prepared,
): CheckpointFile {
  const path = join(folder, `${recipe.name}.checkpoint.json`);
  const identity = createHash('sha256')
    .update(`${canonicalRecipe(recipe)}\n${dataset.sha256}`)
    .digest('hex');
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    path,
    read() {
      if (!existsSync(path)) return undefined;
      return decodeCheckpoint(readFileSync(path, 'utf8'), identity, topology ? countParameters(topology) : 0);
    },
    offer(checkpoint) {
      if (performance.now() - lastMs < INTERVAL_MS) return;
      lastMs = performance.now();
      // a kill in the middle of writing leaves the checkpoint before
      writeFileSync(`${path}.new`, encodeCheckpoint(checkpoint, identity));
      renameSync(`${path}.new`, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}
