import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

export interface BrokerOptions {
  /** mqtt://, mqtts://, ws:// or wss://; may hold user:password@, which appears in no message. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM. Without it the authorities that Node knows. */
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** The name to ask for (SNI) and that the broker's certificate must have. Default: the URL's host. */
  readonly servername?: string | undefined;
  /** `auto`: 5, then 3.1.1 when the broker refuses it. */
  readonly protocol?: 'auto' | Protocol | undefined;
  /** A stable one gives a session that the broker keeps; without it the id is random and the session clean. */
  readonly clientId?: string | undefined;
  readonly keepaliveSeconds?: number | undefined;
}

export type Protocol = '5' | '3.1.1';

export class BrokerOptionsError extends Error {
  override readonly name = 'BrokerOptionsError';
}

/** Checked options: what every connection to the broker has in common. */
export interface Broker {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** host:port, for messages. */
  readonly address: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: { readonly [key in 'ca' | 'cert' | 'key']?: Buffer } & { readonly servername?: string };
  readonly clientId: string;
  /** The broker keeps the session while the client is away. */
  readonly persistent: boolean;
  readonly keepaliveSeconds: number;
}

const defaultPorts = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;
type Scheme = keyof typeof defaultPorts;

/** @throws BrokerOptionsError */
export function resolveBroker(options: BrokerOptions): Broker {
  const url = parseUrl(options.url);
  const scheme = url.protocol.slice(0, -1) as Scheme;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? defaultPorts[scheme] : Number(url.port);
  const username = options.username ?? decode(url.username);
  const password = options.password ?? decode(url.password);
  if (password !== undefined && username === undefined) {
    throw new BrokerOptionsError('found a password without a user name, expected both');
  }
  return {
    scheme,
    host,
    port,
    path: `${url.pathname || '/'}${url.search}`,
    address: `${url.hostname}:${port}`,
    username,
    password,
    tls: resolveTls(options, scheme, host),
    // 23 characters are all that a 3.1.1 broker must accept
    clientId: options.clientId ?? `cellstream-${randomBytes(6).toString('hex')}`,
    persistent: options.clientId !== undefined,
    keepaliveSeconds: options.keepaliveSeconds ?? 30,
  };
}

function parseUrl(text: string): URL {
  // whatever precedes the last @ may hold a password
  const shown = text.replace(/^([a-z]+:\/\/)?.*@/i, '$1...@');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol.slice(0, -1) in defaultPorts) || url.hostname === '') {
    const schemes = Object.keys(defaultPorts).join(', ');
    throw new BrokerOptionsError(
      `found the broker URL "${shown}", expected SCHEME://HOST:PORT with a scheme of ${schemes}`,
    );
  }
  return url;
}

function decode(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BrokerOptionsError(
      'found a lone % in the credentials of the broker URL, expected it written as %25',
    );
  }
}

function resolveTls({ ca, cert, key, servername }: BrokerOptions, scheme: Scheme, host: string) {
  const encrypted = scheme === 'mqtts' || scheme === 'wss';
  if (!encrypted && (ca || cert || key || servername)) {
    throw new BrokerOptionsError(
      `found certificates for a broker URL of ${scheme}://, which is not encrypted, expected ${scheme}s://`,
    );
  }
  if (Boolean(cert) !== Boolean(key)) {
    const [found, missing] = cert ? ['certificate', 'key'] : ['key', 'certificate'];
    throw new BrokerOptionsError(`found a client ${found} without its ${missing}, expected both`);
  }
  // an IP address is no name to ask for
  const name = servername ?? (isIP(host) ? undefined : host);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(encrypted && name !== undefined && { servername: name }),
  };
}
