import { readModelFile } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import { checkSigned, SignatureError } from '../service/signatures.ts';
import { keyIdText } from '../service/signing-keys.ts';
import type { Report, Terminal, VerifyArguments } from './command.ts';
import { readInputFile } from './input-file.ts';
import { readTrustedKeys } from './trusted-keys.ts';

/** Which of the trusted keys have signed a model.
 * @throws SignatureError when none has */
export async function runVerify(
  { model: path, trust }: VerifyArguments,
  _terminal: Terminal,
): Promise<Report> {
  const bytes = readInputFile(path, 'model');
  const keys = readTrustedKeys(trust);
  try {
    const file = readModelFile(bytes);
    const signers = checkSigned(file, keys).map(({ id }) => keyIdText(id));
    const others = file.signatures.map(({ keyId }) => keyIdText(keyId)).filter((id) => !signers.includes(id));
    const { name, release } = file.model;
    const lines = keys
      .filter(({ id }) => signers.includes(keyIdText(id)))
      .map(({ id, file: keyFile }) => `  ${keyIdText(id)}  ${keyFile}`);
    const unknown = others.length > 0 ? `\nnot trusted here: ${others.join(', ')}` : '';
    return {
      summary: { model: path, name, release, signedBy: signers, others },
      text: `${path}: ${name}, release ${release}, is signed by\n${lines.join('\n')}${unknown}`,
    };
  } catch (error) {
    if (error instanceof ModelFormatError)
      throw new ModelFormatError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof SignatureError)
      throw new SignatureError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
