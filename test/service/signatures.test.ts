import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readModelFile, writeEnvelope } from '../../src/model/format.ts';
import { checkSigned, signersOf, signModel } from '../../src/service/signatures.ts';
import { createKeyTexts, readPrivateKey, readPublicKey } from '../../src/service/signing-keys.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';

const model = writeTinyModel();
const [first, second] = [makeKey(), makeKey()];

function makeKey() {
  const { privateKey, publicKey } = createKeyTexts();
  return { mine: readPrivateKey(privateKey, 'key.pem'), trusted: readPublicKey(publicKey, 'key.pub.pem') };
}

describe('a signed model', () => {
  test('names its signers, and keeps the bytes that they signed', () => {
    const signed = signModel(signModel(model, first.mine), second.mine);
    const file = readModelFile(signed);
    expect(file.modelBytes).toEqual(readModelFile(model).modelBytes);
    expect(signersOf(file, [first.trusted, second.trusted])).toEqual([first.trusted, second.trusted]);
    expect(signersOf(file, [makeKey().trusted, second.trusted])).toEqual([second.trusted]);
  });

  test('is signed by nobody once any bit of the model is another one', () => {
    const { modelBytes, signatures } = readModelFile(signModel(model, first.mine));
    fc.assert(
      fc.property(fc.nat(8 * modelBytes.length - 1), (bit) => {
        const changed = Uint8Array.from(modelBytes);
        changed[bit >> 3] ^= 1 << (bit & 7);
        expect(signersOf({ modelBytes: changed, signatures }, [first.trusted])).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('is signed by nobody once any bit of the signature is another one', () => {
    const { modelBytes, signatures } = readModelFile(signModel(model, first.mine));
    for (let bit = 0; bit < 512; bit++) {
      const signature = Uint8Array.from(signatures[0].signature);
      signature[bit >> 3] ^= 1 << (bit & 7);
      const changed = [{ ...signatures[0], signature }];
      expect(signersOf({ modelBytes, signatures: changed }, [first.trusted])).toEqual([]);
    }
  });

  test('is not signed twice by one key; a signature of it for other bytes is replaced', () => {
    const signed = signModel(model, first.mine);
    expect(() => signModel(signed, first.mine)).toThrow('has signed this model already');
    const { modelBytes } = readModelFile(model);
    const stale = writeEnvelope({
      modelBytes,
      signatures: [{ keyId: first.mine.id, signature: new Uint8Array(64) }],
    });
    expect(() => checkSigned(readModelFile(stale), [first.trusted])).toThrow(
      'does not fit: the model was changed since',
    );
    expect(signModel(stale, first.mine)).toEqual(signed);
  });

  test('of no trusted key is refused with what was found and what is trusted', () => {
    expect(() => checkSigned(readModelFile(model), [first.trusted])).toThrow(
      /^it is not signed, expected a signature by a trusted key \(trusted: [0-9a-f]{16}\)$/,
    );
    expect(() => checkSigned(readModelFile(signModel(model, second.mine)), [first.trusted])).toThrow(
      /^it is signed by [0-9a-f]{16}, expected a signature by a trusted key/,
    );
  });
});
