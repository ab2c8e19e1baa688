import { DamageError, StateError } from './state-error.ts';

/** What every file of a state folder begins with: whose states and readings it holds. */
export interface FileHeader {
  readonly format: number;
  /** SHA-256 of the model's message: states belong to its weights. */
  readonly model: string;
  /** The model's features, by whose index readings name theirs. */
  readonly features: readonly string[];
  /** Of a snapshot: how frames are closed, and whose states they are then. */
  readonly aligning?: string;
}

/** Of the files; a newer program reads older ones, never the other way round. In 1 there were no marks, in 2 the log alone had
 * them: all of them at the beginning of each file. */
export const fileFormat = 3;

export function writeHeader(header: FileHeader): Buffer {
  return Buffer.from(JSON.stringify(header));
}

/** @throws DamageError where it is no header
 * @throws StateError where it is one of a newer program */
export function readHeader(payload: Buffer | undefined, path: string): FileHeader {
  const header = parse(payload);
  if (header === undefined)
    throw new DamageError(`${path} has no header: it is no file of cellstream, or damaged`);
  if (header.format > fileFormat) {
    throw new StateError(
      `${path} has format ${header.format}, expected up to ${fileFormat}: a newer cellstream wrote it`,
    );
  }
  return header;
}

function parse(payload: Buffer | undefined): FileHeader | undefined {
  try {
    const header = JSON.parse(String(payload)) as FileHeader | null;
    const isOne =
      typeof header?.format === 'number' &&
      typeof header.model === 'string' &&
      Array.isArray(header.features);
    return isOne ? header : undefined;
  } catch {
    return undefined;
  }
}
