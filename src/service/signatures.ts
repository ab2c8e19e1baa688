import { sign, verify } from 'node:crypto';
import { type ModelFile, readModelFile, type Signature, writeEnvelope } from '../model/format.ts';
import { keyIdText, type SigningKey } from './signing-keys.ts';

/** A signature that cannot be added, or that is wanted and not there. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** Adds a signature to a model file; the bytes of the model stay as they are.
 * @throws ModelFormatError for bytes that are no model, SignatureError when this key has signed it */
export function signModel(file: Uint8Array, { id, key }: SigningKey): Uint8Array {
  const { modelBytes, signatures } = readModelFile(file);
  const signature = sign(null, modelBytes, key);
  if (signatures.some((other) => isSame(other.keyId, id) && isSame(other.signature, signature))) {
    throw new SignatureError(`the key ${keyIdText(id)} has signed this model already`);
  }
  // one of this key that does not fit was made for other bytes
  const others = signatures.filter(({ keyId }) => !isSame(keyId, id));
  return writeEnvelope({ modelBytes, signatures: [...others, { keyId: id, signature }] });
}

/** Whoever may send a signed model can add signatures of no key that is trusted: a kept copy grows no further than to these. */
const mostJoined = 16;

/** The signatures of two files of the same model, those by `keys` first: others may be of keys that are trusted later. */
export function joinSignatures(
  kept: Pick<ModelFile, 'modelBytes' | 'signatures'>,
  { signatures }: Pick<ModelFile, 'signatures'>,
  keys: readonly SigningKey[],
): Signature[] {
  const isKept = ({ keyId, signature }: Signature) =>
    kept.signatures.some((other) => isSame(other.keyId, keyId) && isSame(other.signature, signature));
  const all = [...kept.signatures, ...signatures.filter((signature) => !isKept(signature))];
  const isTrusted = (signature: Signature) =>
    signersOf({ modelBytes: kept.modelBytes, signatures: [signature] }, keys).length > 0;
  const trusted = all.filter(isTrusted);
  return [...trusted, ...all.filter((signature) => !trusted.includes(signature))].slice(0, mostJoined);
}

/** Those of the keys whose signature of this model is right. */
export function signersOf(
  { modelBytes, signatures }: Pick<ModelFile, 'modelBytes' | 'signatures'>,
  keys: readonly SigningKey[],
): SigningKey[] {
  const fits = ({ id, key }: SigningKey, { keyId, signature }: Signature) =>
    isSame(keyId, id) && verify(null, modelBytes, key, signature);
  return keys.filter((key) => signatures.some((signature) => fits(key, signature)));
}

/** @throws SignatureError when none of the keys has signed it */
export function checkSigned(
  file: Pick<ModelFile, 'modelBytes' | 'signatures'>,
  keys: readonly SigningKey[],
): SigningKey[] {
  const signers = signersOf(file, keys);
  if (signers.length > 0) return signers;
  const trusted = `trusted: ${keys.map(({ id }) => keyIdText(id)).join(', ')}`;
  const named = file.signatures.map(({ keyId }) => keyIdText(keyId));
  const changed = named.filter((name) => keys.some(({ id }) => keyIdText(id) === name));
  if (changed.length > 0) {
    throw new SignatureError(
      `the signature of ${changed.join(', ')} does not fit: the model was changed since`,
    );
  }
  const found = named.length === 0 ? 'it is not signed' : `it is signed by ${named.join(', ')}`;
  throw new SignatureError(`${found}, expected a signature by a trusted key (${trusted})`);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
