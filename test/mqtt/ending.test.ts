import { expect, test } from 'vitest';
import { BrokerRefusedError } from '../../src/mqtt/broker-error.ts';
import { type Ending, endingOf } from '../../src/mqtt/ending.ts';

const nothing = { failure: undefined, disconnectCode: undefined, suspicion: undefined };

function failureOf(message: string, properties: object = {}): Error {
  return Object.assign(new Error(message), properties);
}

/** What a broker or a network does rarely enough that no test of ours makes it. */
test.each<[failure: Error, kind: Ending['kind'], reason: string]>([
  [failureOf('x', { code: 3 }), 'lost', 'the broker is not available (code 3)'],
  [
    failureOf('Connection refused: Server busy', { code: 137 }),
    'lost',
    'Connection refused: Server busy (code 137)',
  ],
  [failureOf('x', { code: 2 }), 'refused', 'the client id is not accepted (code 2)'],
  [failureOf('x', { code: 138 }), 'refused', 'this client is banned (code 138)'],
  [failureOf('x', { code: 1 }), 'wrong protocol', 'it does not speak this version of MQTT (code 1)'],
  [failureOf('x', { code: 132 }), 'wrong protocol', 'it does not speak this version of MQTT (code 132)'],
  [
    failureOf('certificate is not yet valid', { code: 'CERT_NOT_YET_VALID' }),
    'lost',
    'certificate is not yet valid: is the clock of this machine right? (CERT_NOT_YET_VALID)',
  ],
  [
    failureOf('certificate has expired', { code: 'CERT_HAS_EXPIRED' }),
    'refused',
    'the certificate does not verify: certificate has expired (CERT_HAS_EXPIRED)',
  ],
  [
    failureOf('1A:error:0A000:SSL routines::file.c:12:\n', { code: 'ERR_SSL_X', reason: 'something new' }),
    'refused',
    'something new (ERR_SSL_X)',
  ],
  [failureOf('', { code: 'ECONNREFUSED' }), 'lost', 'ECONNREFUSED'],
  [failureOf('two\n lines', {}), 'lost', 'two lines'],
  [new BrokerRefusedError('no subscription'), 'refused', 'no subscription'],
])('%s is %s', (failure, kind, reason) => {
  expect(endingOf({ ...nothing, failure })).toMatchObject({ kind, reason });
});

test.each([
  [142, 'taken over', 'another client connected with the same client id'],
  [139, 'lost', 'the broker is shutting down'],
  [151, 'lost', 'the broker disconnected this client (code 151)'],
])(
  'what the broker says as it disconnects (%i) comes before the error of the socket',
  (disconnectCode, kind, reason) => {
    const failure = failureOf('read ECONNRESET', { code: 'ECONNRESET' });
    expect(endingOf({ ...nothing, failure, disconnectCode })).toEqual({ kind, reason });
  },
);
