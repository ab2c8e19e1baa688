import { type ModelFile, readModelFile, writeEnvelope } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import { type ModelRules, modelIdOf } from './model-checks.ts';
import type { ModelShelf } from './model-shelf.ts';
import { joinSignatures } from './signatures.ts';

/** Puts a model on the shelf. A copy that is there gets the signatures that it lacks and loses none, for a start asks for one by the
 * keys of its own day; one that lacks none is left alone.
 * @throws the error of the disk */
export function keepModel(
  { shelf, keys }: Pick<ModelRules, 'keys'> & { readonly shelf: Pick<ModelShelf, 'keep' | 'load'> },
  id: string,
  bytes: Uint8Array,
): void {
  const kept = readCopy(shelf.load(id), id);
  if (kept === undefined) {
    shelf.keep(id, bytes);
    return;
  }
  const signatures = joinSignatures(kept, readModelFile(bytes), keys);
  const isWhole = signatures.every((signature) => kept.signatures.includes(signature));
  if (!isWhole) shelf.keep(id, writeEnvelope({ modelBytes: kept.modelBytes, signatures }));
}

/** undefined where there is none, or a damaged one. */
function readCopy(bytes: Uint8Array | undefined, id: string): ModelFile | undefined {
  try {
    const file = bytes && readModelFile(bytes);
    return file && modelIdOf(file.modelBytes) === id ? file : undefined;
  } catch (error) {
    if (error instanceof ModelFormatError) return undefined;
    throw error;
  }
}
