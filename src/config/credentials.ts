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
