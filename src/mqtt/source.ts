import type { IPublishPacket, MqttClient } from 'mqtt';
import { Observable } from 'rxjs';
import type { Message } from '../stream/decode.ts';
import type { TopicPattern } from './topic.ts';

export interface SourceOptions {
  readonly topics: TopicPattern;
  /** What this service publishes: never read back, whatever the subscriptions match. */
  readonly own?: TopicPattern;
  /** Messages a batch at most. */
  readonly limit?: number;
}

/** The messages of a client, those of one turn of the event loop together. Subscribe before the client connects. */
export function mqttSource(
  client: MqttClient,
  { topics, own, limit = 256 }: SourceOptions,
): Observable<readonly Message[]> {
  return new Observable((subscriber) => {
    let turn: Message[] = [];
    let timer: NodeJS.Immediate | undefined;
    const emit = () => {
      clearImmediate(timer);
      timer = undefined;
      const messages = turn;
      turn = [];
      subscriber.next(messages);
    };
    // nothing is awaited here: MQTT.js reads no further packet until a handler returns
    const onMessage = (topic: string, payload: Buffer, packet: IPublishPacket) => {
      const stream = topics.streamOf(topic);
      if (stream === undefined || own?.streamOf(topic) !== undefined) return;
      turn.push({ stream, payload, retained: packet.retain });
      if (turn.length >= limit) emit();
      else timer ??= setImmediate(emit);
    };
    client.on('message', onMessage);
    return () => {
      client.off('message', onMessage);
      clearImmediate(timer);
    };
  });
}
