import { Reader } from 'protobufjs/minimal.js';
import { cellstream } from '#proto/model.js';
import { BoundedReader } from './bounded-reader.ts';
import { ModelFormatError } from './format-error.ts';
import type { Model } from './model.ts';
import { readModelMessage } from './read-message.ts';
import { modelMessage } from './write-message.ts';

export const formatVersion = 1;

/** No network for one sensor needs more; a file beyond it is a mistake or an attack. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_SIGNATURES = 64;

export interface Signature {
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface ModelFile {
  readonly model: Model;
  /** The stored bytes of the model message: its SHA-256 is the model's id, signatures cover exactly these. */
  readonly modelBytes: Uint8Array;
  readonly signatures: readonly Signature[];
}

/** Reads and validates a `.pb` file: after it, nothing that uses the model checks anything.
 * @throws ModelFormatError with what was found and what was expected */
export function readModelFile(bytes: Uint8Array): ModelFile {
  if (bytes.length === 0) throw new ModelFormatError('an empty file, expected a cellstream model');
  if (bytes.length > MAX_FILE_BYTES) {
    throw new ModelFormatError(`${bytes.length} bytes, expected at most ${MAX_FILE_BYTES}`);
  }
  const { modelBytes, signatures } = readEnvelope(bytes);
  const message = decode(() => cellstream.Model.decode(new BoundedReader(modelBytes)), 'model');
  if (message.formatVersion !== formatVersion) {
    throw new ModelFormatError(`format version ${message.formatVersion}, expected ${formatVersion}`);
  }
  return { model: readModelMessage(message), modelBytes, signatures };
}

/** The bytes of a `.pb` file with no signature. The same model gives the same bytes on every machine. */
export function writeModelFile(model: Model): Uint8Array {
  const modelBytes = cellstream.Model.encode({ ...modelMessage(model), formatVersion }).finish();
  return writeEnvelope({ modelBytes, signatures: [] });
}

/** The bytes of a `.pb` file around those of a model, which stay as they are. */
export function writeEnvelope({
  modelBytes,
  signatures,
}: Pick<ModelFile, 'modelBytes' | 'signatures'>): Uint8Array {
  return cellstream.Envelope.encode({ model: modelBytes, signatures: [...signatures] }).finish();
}

/** Reads the envelope field by field: an unknown one would be outside of what the signatures cover. */
function readEnvelope(bytes: Uint8Array): Pick<ModelFile, 'modelBytes' | 'signatures'> {
  return decode(() => {
    const reader = Reader.create(bytes);
    const signatures: Signature[] = [];
    let modelBytes: Uint8Array | undefined;
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 10 && modelBytes === undefined) modelBytes = reader.bytes();
      else if (tag === 18) signatures.push(readSignature(reader.bytes()));
      else
        throw new ModelFormatError(
          `not a cellstream model: envelope tag ${tag}, expected one model (10) and signatures (18)`,
        );
    }
    if (modelBytes === undefined) throw new ModelFormatError('an envelope without a model, expected one');
    if (signatures.length > MAX_SIGNATURES) {
      throw new ModelFormatError(`${signatures.length} signatures, expected at most ${MAX_SIGNATURES}`);
    }
    return { modelBytes, signatures };
  }, 'envelope');
}

function readSignature(bytes: Uint8Array): Signature {
  const { keyId, signature } = cellstream.Signature.decode(bytes);
  if (keyId.length === 0 || signature.length !== 64) {
    throw new ModelFormatError(`a signature of ${signature.length} bytes, expected 64 with a key id`);
  }
  return { keyId, signature };
}

/** The decoder's own errors (an offset out of range, a bad wire type) become ours, the cause kept. */
function decode<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ModelFormatError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelFormatError(`not a cellstream model: the ${what} cannot be decoded (${reason})`, {
      cause: error,
    });
  }
}
