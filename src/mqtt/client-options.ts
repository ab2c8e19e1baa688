import type { IClientOptions } from 'mqtt';
import type { Broker, Protocol } from './broker-options.ts';
import { createClientIds } from './client-ids.ts';

/** How long the broker keeps the session of a client that is away, in MQTT 5 (3.1.1 cannot say). */
const sessionExpirySeconds = 7 * 24 * 3600;

/** Bytes. A broker keeps larger ones to itself in MQTT 5; 3.1.1 cannot say, and what comes is skipped: nobody can fill this machine's
 * memory with one. */
export const largestPacket = 16 * 1024 * 1024;

export interface ClientOptions {
  readonly protocol: Protocol;
  readonly statusTopic: string | undefined;
  readonly timeoutMs: number;
}

/** What MQTT.js is told. It connects once: connecting again is the link's. */
export function clientOptions(
  broker: Broker,
  { protocol, statusTopic, timeoutMs }: ClientOptions,
): IClientOptions {
  const { scheme, host, username, password, persistent } = broker;
  const webSocket = scheme === 'ws' || scheme === 'wss';
  return {
    protocol: scheme,
    host: webSocket && host.includes(':') ? `[${host}]` : host,
    port: broker.port,
    ...(webSocket && { path: broker.path, wsOptions: { ...broker.tls } }),
    ...broker.tls,
    rejectUnauthorized: true,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    protocolVersion: protocol === '5' ? 5 : 4,
    clientId: broker.clientId,
    clean: !persistent,
    ...(protocol === '5' && {
      properties: {
        // the broker's own default may be 20 messages in flight
        receiveMaximum: 65_535,
        maximumPacketSize: largestPacket,
        sessionExpiryInterval: persistent ? sessionExpirySeconds : 0,
      },
    }),
    ...(statusTopic !== undefined && {
      will: { topic: statusTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
    }),
    keepalive: broker.keepaliveSeconds,
    connectTimeout: timeoutMs,
    manualConnect: true,
    reconnectPeriod: 0,
    messageIdProvider: createClientIds(),
    // or every number of two bytes is made ahead, 15 MB of them
    writeCache: false,
    // its own asks whether anybody debugs it, a dozen times a message
    log: () => {},
  };
}
