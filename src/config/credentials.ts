import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import type { BrokerSettings } from './service.ts';

/** What it takes to get in: never logged, never in a message. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** PEM */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the secrets from the files and the environment variables that hold them. A variable wins over the config.
 * @throws ConfigError when a file cannot be read */
export function readCredentials(
  { username, passwordFile, ca, cert, key }: BrokerSettings,
  environment: Environment = process.env,
): Credentials {
  const { CELLSTREAM_MQTT_USERNAME, CELLSTREAM_MQTT_PASSWORD, CELLSTREAM_MQTT_PASSWORD_FILE } = environment;
  const user = CELLSTREAM_MQTT_USERNAME ?? username;
  const file = CELLSTREAM_MQTT_PASSWORD_FILE ?? passwordFile;
  // an editor ends the file with a line feed that is no part of the password
  const read = (path: string) =>
    readSecret(path, 'password file')
      .toString('utf8')
      .replace(/\r?\n$/, '');
  const password = CELLSTREAM_MQTT_PASSWORD ?? (file === undefined ? undefined : read(file));
  return {
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca: readSecret(ca, 'certificate authority (ca)') }),
    ...(cert !== undefined && { cert: readSecret(cert, 'client certificate (cert)') }),
    ...(key !== undefined && { key: readSecret(key, 'client key (key)') }),
  };
}

/** Shorter ones are guessed. */
const leastToken = 16;
const loopback = /^(localhost|127(\.\d+){3}|::1)$/;

/** The token of the page, which it needs where others than this machine reach it.
 * @throws ConfigError when there is none then, or it is short */
export function readPageToken(
  { host, tokenFile }: { readonly host: string; readonly tokenFile?: string },
  environment: Environment = process.env,
): string | undefined {
  const { CELLSTREAM_PAGE_TOKEN, CELLSTREAM_PAGE_TOKEN_FILE } = environment;
  const file = CELLSTREAM_PAGE_TOKEN_FILE ?? tokenFile;
  const token = CELLSTREAM_PAGE_TOKEN ?? (file && readSecret(file, 'token file').toString('utf8').trim());
  if (token === undefined) {
    if (loopback.test(host)) return undefined;
    throw new ConfigError([
      `dashboard: whoever reaches ${host} would see the page; give it a token_file, or host: 127.0.0.1`,
    ]);
  }
  if (token.length >= leastToken) return token;
  throw new ConfigError([
    `dashboard: a token of ${token.length} characters, expected at least ${leastToken}`,
  ]);
}

function readSecret(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const found =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
    throw new ConfigError([`cannot read the ${what} ${path}: ${found}`], { cause });
  }
}
