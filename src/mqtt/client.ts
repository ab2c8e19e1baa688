import type { Socket } from 'node:net';
import { connect, type MqttClient } from 'mqtt';

export class BrokerConnectionError extends Error {
  override readonly name = 'BrokerConnectionError';
}

export interface ConnectOptions {
  /** Topic filters to listen to. MQTT.js subscribes again after a reconnect. */
  readonly filters?: readonly string[];
  readonly timeoutMs?: number;
}

/** A client that is not connected yet: attach every handler first, or messages that come with the CONNACK are
 * acknowledged and never seen. */
export function createClient(url: string): MqttClient {
  const client = connect(url, {
    manualConnect: true,
    // aedes speaks 3.1.1 only
    protocolVersion: 4,
    // offline, MQTT.js would queue without a bound
    queueQoSZero: false,
  });
  // MQTT.js leaves Nagle's algorithm on: 1.5 ms instead of 0.3 a round trip, with tails of 40 ms
  client.on('connect', () => (client.stream as Partial<Socket>).setNoDelay?.(true));
  // it connects again by itself, and an error without a listener would end the process
  client.on('error', () => {});
  return client;
}

/** Resolves when the broker has accepted the client and all its subscriptions. */
export async function connectClient(
  client: MqttClient,
  { filters = [], timeoutMs = 5_000 }: ConnectOptions = {},
): Promise<void> {
  const { host = 'localhost', port = 1883 } = client.options;
  const address = `${host}:${port}`;
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string, cause?: Error) => {
      stop();
      client.end(true);
      reject(new BrokerConnectionError(`no connection to the broker at ${address}: ${reason}`, { cause }));
    };
    const onConnect = () => {
      stop();
      resolve();
    };
    const onError = (error: Error) => fail(describe(error), error);
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs} ms`), timeoutMs);
    const stop = () => {
      clearTimeout(timer);
      client.off('connect', onConnect);
      client.off('error', onError);
    };
    client.on('connect', onConnect);
    client.on('error', onError);
    client.connect();
  });
  if (filters.length > 0) await subscribe(client, filters, address);
}

async function subscribe(client: MqttClient, filters: readonly string[], address: string): Promise<void> {
  try {
    await client.subscribeAsync([...filters], { qos: 0 });
  } catch (error) {
    client.end(true);
    const reason = describe(error as Error);
    throw new BrokerConnectionError(`the broker at ${address} refused ${filters.join(', ')}: ${reason}`, {
      cause: error,
    });
  }
}

/** A refused connection on a name with two addresses has an empty message and only a code. */
function describe(error: Error & { code?: unknown }): string {
  return error.message || String(error.code ?? error.name);
}
