import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/** A key that models are signed with, or by which a signature is known. */
export interface SigningKey {
  /** The first bytes of the SHA-256 of the public key: what a signature in a model file names. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

export interface KeyTexts {
  /** PEM. */
  readonly privateKey: string;
  readonly publicKey: string;
  readonly id: Uint8Array;
}

/** A key file that cannot be used. */
class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

const idBytes = 8;
const privateLabel = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;
const publicLabel = /-----BEGIN PUBLIC KEY-----/;

/** A new key, Ed25519. */
export function createKeyTexts(): KeyTexts {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    id: idOf(publicKey),
  };
}

/** @throws SigningKeyError that begins with `path` */
export function readPrivateKey(pem: string, path: string): SigningKey {
  if (!privateLabel.test(pem)) {
    const found = publicLabel.test(pem) ? 'a public key' : 'no key in PEM';
    throw new SigningKeyError(`${path}: found ${found}, expected the private key that keygen wrote`);
  }
  const key = parse(() => createPrivateKey(pem), path);
  return { id: idOf(createPublicKey(key)), key };
}

/** @throws SigningKeyError that begins with `path` */
export function readPublicKey(pem: string, path: string): SigningKey {
  if (!publicLabel.test(pem)) {
    // a device has no use for a private key, and whoever finds it there can sign
    const found = privateLabel.test(pem) ? 'a private key' : 'no key in PEM';
    throw new SigningKeyError(`${path}: found ${found}, expected the public key that keygen wrote`);
  }
  const key = parse(() => createPublicKey(pem), path);
  return { id: idOf(key), key };
}

function parse(read: () => KeyObject, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new SigningKeyError(
      `${path}: the key cannot be read (${(cause as Error).message}); keys are PEM, without a passphrase`,
      { cause },
    );
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new SigningKeyError(`${path}: found a key of ${key.asymmetricKeyType}, expected ed25519`);
  }
  return key;
}

function idOf(publicKey: KeyObject): Uint8Array {
  const { x } = publicKey.export({ format: 'jwk' });
  const raw = Buffer.from(x as string, 'base64url');
  return createHash('sha256').update(raw).digest().subarray(0, idBytes);
}

/** As people compare it. */
export function keyIdText(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
