import { readPublicKey, type SigningKey } from '../service/signing-keys.ts';
import { readInputFile } from './input-file.ts';

/** A public key and where it came from. */
export interface TrustedKey extends SigningKey {
  readonly file: string;
}

/** @throws UsageError, SigningKeyError with the file's name */
export function readTrustedKeys(files: readonly string[]): TrustedKey[] {
  return files.map((file) => ({
    file,
    ...readPublicKey(new TextDecoder().decode(readInputFile(file, 'public key')), file),
  }));
}
