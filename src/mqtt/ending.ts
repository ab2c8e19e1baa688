import { BrokerRefusedError } from './broker-error.ts';

/** Why a connection ended, or never came about. */
export interface Ending {
  readonly kind: 'lost' | 'refused' | 'wrong protocol' | 'taken over';
  /** One line, without credentials. */
  readonly reason: string;
  readonly cause?: Error | undefined;
}

/** The properties that errors of Node, OpenSSL and MQTT.js have. */
type LooseError = Error & { readonly code?: unknown; readonly reason?: unknown };

/** Return codes of a 3.1.1 CONNACK (below 128) and reason codes of MQTT 5. */
const connackReasons: Readonly<Record<number, string>> = {
  1: 'it does not speak this version of MQTT',
  2: 'the client id is not accepted',
  3: 'the broker is not available',
  4: 'wrong user name or password',
  5: 'not authorized: a wrong user name or password, or an access list',
  132: 'it does not speak this version of MQTT',
  133: 'the client id is not accepted',
  134: 'wrong user name or password',
  135: 'not authorized: a wrong user name or password, or an access list',
  138: 'this client is banned',
  140: 'the way of authentication is not accepted',
  144: 'the status topic is not accepted',
  154: 'retained messages, which the status topic needs, are not supported',
  155: 'QoS 1, which the status topic needs, is not supported',
  156: 'use another server',
  157: 'the server has moved',
};
const wrongProtocolCodes = [1, 132];
/** In these the broker says that it may do better later. */
const passingCodes = [3];

/** How MQTT.js calls them. */
const silences: Readonly<Record<string, string>> = {
  'Keepalive timeout': 'no answer for longer than the keepalive allows',
  'connack timeout': 'no answer to the request to connect',
};

const tlsReasons: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/certificate required|handshake failure/, 'the broker wants a client certificate, or another one'],
  [
    /unknown ca|bad certificate|certificate (unknown|expired|revoked)/,
    'the client certificate is not accepted',
  ],
  [/wrong version number|packet length too long/, 'the port does not speak TLS'],
  [/^unsupported$|no start line|bad base64|wrong tag|asn1/i, 'a certificate or key is not PEM'],
  [/values mismatch/, 'the client certificate and the key do not belong together'],
];

/** What is known when a connection is over. */
export interface Evidence {
  readonly failure: Error | undefined;
  /** Of an MQTT 5 DISCONNECT from the broker. */
  readonly disconnectCode: number | undefined;
  /** What to suspect when it ended as if somebody hung up. */
  readonly suspicion: string | undefined;
}

export function endingOf({ failure, disconnectCode, suspicion }: Evidence): Ending {
  if (disconnectCode !== undefined) return endingOfDisconnect(disconnectCode);
  if (failure instanceof BrokerRefusedError) {
    return { kind: 'refused', reason: failure.message, cause: failure };
  }
  const error = failure as LooseError | undefined;
  if (suspicion !== undefined && (!error || error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
    return {
      kind: 'lost',
      reason: `the connection was closed before there was an answer: ${suspicion}`,
      cause: error,
    };
  }
  return error ? endingOfError(error) : { kind: 'lost', reason: 'the broker closed the connection' };
}

function endingOfDisconnect(code: number): Ending {
  if (code === 142) return { kind: 'taken over', reason: 'another client connected with the same client id' };
  if (code === 139) return { kind: 'lost', reason: 'the broker is shutting down' };
  return { kind: 'lost', reason: `the broker disconnected this client (code ${code})` };
}

function endingOfError(error: LooseError): Ending {
  const ending = (kind: Ending['kind'], reason: string): Ending => ({ kind, reason, cause: error });
  const { code } = error;
  if (typeof code === 'number') {
    const reason = `${connackReasons[code] ?? describe(error)} (code ${code})`;
    if (wrongProtocolCodes.includes(code)) return ending('wrong protocol', reason);
    return ending(code in connackReasons && !passingCodes.includes(code) ? 'refused' : 'lost', reason);
  }
  if (code === 'CERT_NOT_YET_VALID') {
    // a device without a battery starts in 1970, until its clock is set
    return ending('lost', `${describe(error)}: is the clock of this machine right? (${code})`);
  }
  if (typeof code === 'string' && /^ERR_(SSL|OSSL|TLS)|CERT|CRL|SIGNATURE|^INVALID_/.test(code)) {
    return ending('refused', `${describeTls(error)} (${code})`);
  }
  return ending('lost', describe(error));
}

function describeTls(error: LooseError): string {
  const { code, reason } = error;
  if (typeof reason !== 'string' || code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate does not verify: ${describe(error)}`;
  }
  const meaning = tlsReasons.find(([pattern]) => pattern.test(reason))?.[1];
  // of an alert, OpenSSL's message names its source file and a thread
  return meaning === undefined ? reason : `${meaning}: ${reason}`;
}

/** One line. A refused connection on a name with two addresses has an empty message and only a code. */
function describe(error: LooseError): string {
  const text = error.message || String(error.code ?? error.name);
  return silences[text] ?? text.replace(/\s+/g, ' ').trim();
}

/** What the broker gave as its reason against a subscription or a publication. */
export function describeRefusal(error: Error): string {
  return describe(error).replace(/^(Publish|Subscribe) error: /, '');
}
