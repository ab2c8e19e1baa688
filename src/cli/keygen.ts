import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyTexts, keyIdText } from '../service/signing-keys.ts';
import type { KeygenArguments, Report, Terminal } from './command.ts';
import { openOutput } from './output-folder.ts';
import { UsageError } from './usage-error.ts';

const privateName = 'model-key.pem';
const publicName = 'model-key.pub.pem';

/** A new key for signing models, as two files. */
export async function runKeygen({ out }: KeygenArguments, _terminal: Terminal): Promise<Report> {
  openOutput(out, [privateName, publicName]);
  const [privatePath, publicPath] = [join(out, privateName), join(out, publicName)];
  // a key that is overwritten is lost, and with it every device that trusts it alone
  const found = [privatePath, publicPath].find((path) => existsSync(path));
  if (found !== undefined) {
    throw new UsageError(`${found} is there already and is not overwritten; name another folder with --out`);
  }
  const { privateKey, publicKey, id } = createKeyTexts();
  write(privatePath, privateKey, 0o600);
  write(publicPath, publicKey, 0o644);
  const keyId = keyIdText(id);
  return {
    summary: { keyId, privateKey: privatePath, publicKey: publicPath },
    text: `key ${keyId}\n  ${privatePath}  signs models: it stays where they are made\n  ${publicPath}  goes to the devices, into models.trust of their config`,
  };
}

function write(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: 'wx' });
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
