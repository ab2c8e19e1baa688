import type { MqttClient } from 'mqtt';
import type { Publication } from '../stream/encode.ts';
import type { TopicPattern } from './topic.ts';

export interface Sink {
  /** Hands publications to the client and returns at once. */
  publish(publications: readonly Publication[]): void;
  /** Written to the socket. */
  readonly published: number;
  /** Lost because the broker was away. */
  readonly unsent: number;
}

export function createSink(client: MqttClient, topics: TopicPattern): Sink {
  let published = 0;
  let unsent = 0;
  const onWritten = (error?: Error | null) => {
    if (error) unsent++;
    else published++;
  };
  return {
    publish(publications) {
      // never awaited: inside the receive path that would wait for an answer that MQTT.js cannot read
      for (const { stream, payload } of publications) {
        client.publish(topics.topicOf(stream), payload, { qos: 0 }, onWritten);
      }
    },
    get published() {
      return published;
    },
    get unsent() {
      return unsent;
    },
  };
}
