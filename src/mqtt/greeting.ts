import type { IConnackPacket, ISubscriptionMap, MqttClient } from 'mqtt';
import { BrokerRefusedError } from './broker-error.ts';
import { describeRefusal } from './ending.ts';

export interface Filter {
  readonly topic: string;
  readonly qos: 0 | 1;
}

export interface Greeting {
  readonly filters: readonly Filter[];
  /** Of an earlier configuration. */
  readonly goneFilters: readonly string[];
  readonly statusTopic: string | undefined;
  /** No connection of this link came before it. */
  readonly first: boolean;
}

/** What a client says at every connect, all at once; resolves when the broker has acknowledged all of it.
 * @throws BrokerRefusedError */
export async function greet(client: MqttClient, connack: IConnackPacket, greeting: Greeting): Promise<void> {
  const { filters, goneFilters, statusTopic, first } = greeting;
  const gone = goneFilters.filter((topic) => filters.every((filter) => filter.topic !== topic));
  await Promise.all([
    connack.sessionPresent && gone.length > 0 && client.unsubscribeAsync(gone),
    // also in a session that is present: what a broker kept may be older than the configuration
    filters.length > 0 && subscribe(client, filters, first),
    statusTopic !== undefined && announce(client, statusTopic),
  ]);
}

async function subscribe(client: MqttClient, filters: readonly Filter[], first: boolean): Promise<void> {
  const map: ISubscriptionMap = {};
  for (const { topic, qos } of filters) {
    // of MQTT 5: no echo of one's own messages; retain marks a replay at subscription and nothing else; the
    // replay comes once, not after every loss of the connection
    map[topic] = { qos, nl: true, rap: false, rh: first ? 0 : 1 };
  }
  try {
    await client.subscribeAsync(map);
  } catch (error) {
    const granted = (error as { packet?: { granted?: readonly number[] } }).packet?.granted;
    // without an answer the connection is gone, and its end says more
    if (!granted) throw error;
    const refused = filters.filter((_, i) => granted[i] >= 0x80).map(({ topic }) => topic);
    throw new BrokerRefusedError(
      `no subscription to ${refused.join(', ')}: ${describeRefusal(error as Error)}`,
      {
        cause: error,
      },
    );
  }
}

async function announce(client: MqttClient, statusTopic: string): Promise<void> {
  try {
    await client.publishAsync(statusTopic, 'online', { qos: 1, retain: true });
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== 'number') throw error;
    throw new BrokerRefusedError(`no publication on ${statusTopic}: ${describeRefusal(error as Error)}`, {
      cause: error,
    });
  }
}
