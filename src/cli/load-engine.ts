import { existsSync } from 'node:fs';
import { type Engine, loadModel } from '../engine/engine.ts';
import { ModelFormatError } from '../model/format-error.ts';
import { readInputFile } from './input-file.ts';

/** Loads a model file that the user named.
 * @throws ModelFormatError with the file's name in front */
export async function loadEngine(path: string): Promise<Engine> {
  const bytes = readInputFile(path, 'model');
  try {
    return await loadModel(bytes);
  } catch (error) {
    if (error instanceof ModelFormatError)
      throw new ModelFormatError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** NAME.float.pb beside NAME.pb, when it is there. */
export function floatTwin(path: string): string | undefined {
  const twin = path.replace(/\.pb$/, '.float.pb');
  return twin !== path && existsSync(twin) ? twin : undefined;
}
