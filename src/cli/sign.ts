import { renameSync, writeFileSync } from 'node:fs';
import { readModelFile } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import { SignatureError, signModel } from '../service/signatures.ts';
import { keyIdText, readPrivateKey } from '../service/signing-keys.ts';
import type { Report, SignArguments, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { UsageError } from './usage-error.ts';

/** Adds the signature of a key to a model file, in its place. */
export async function runSign(
  { model: path, key: keyPath }: SignArguments,
  _terminal: Terminal,
): Promise<Report> {
  const bytes = readInputFile(path, 'model');
  const key = readPrivateKey(Buffer.from(readInputFile(keyPath, 'private key')).toString(), keyPath);
  const signed = sign();
  replace(path, signed);
  const keyId = keyIdText(key.id);
  const { signatures } = readModelFile(signed);
  return {
    summary: { model: path, keyId, signatures: signatures.map((one) => keyIdText(one.keyId)) },
    text: `${path} is signed by ${keyId}${signatures.length > 1 ? `, and has ${signatures.length} signatures` : ''}`,
  };

  function sign(): Uint8Array {
    try {
      return signModel(bytes, key);
    } catch (error) {
      if (error instanceof ModelFormatError)
        throw new ModelFormatError(`${path}: ${error.message}`, { cause: error });
      if (error instanceof SignatureError)
        throw new UsageError(`${path}: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

/** At once: a service may look at the file at any moment. */
function replace(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
