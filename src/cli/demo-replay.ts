import { connectClient, createClient } from '../mqtt/client.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import type { SensorMessage, Tick } from './demo-data.ts';

export interface ReplayOptions {
  readonly brokerUrl: string;
  readonly sensors: TopicPattern;
  readonly ticks: readonly Tick[];
  readonly ticksPerSecond: number;
  /** Called right before a message is published. */
  readonly onPublish: (message: SensorMessage) => void;
}

/** Plays recorded sensors to a broker, as a client of its own. */
export interface Replay {
  /** Ticks and messages published so far. */
  readonly ticks: number;
  readonly messages: number;
  /** Resolves when all is published, or after `stop`. */
  readonly done: Promise<void>;
  stop(): void;
  close(): Promise<void>;
}

export async function startReplay(options: ReplayOptions): Promise<Replay> {
  const { brokerUrl, sensors, ticks, ticksPerSecond, onPublish } = options;
  const client = createClient(brokerUrl);
  await connectClient(client);
  let tick = 0;
  let messages = 0;
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const publish = (rows: Tick) => {
    for (const row of rows) {
      onPublish(row);
      client.publish(sensors.topicOf(row.stream), row.payload, { qos: 0 });
      messages++;
    }
  };
  const startedMs = performance.now();
  const advance = () => {
    // what is due by the clock: a late timer loses no time
    const due = Math.min(
      ticks.length,
      1 + Math.floor(((performance.now() - startedMs) / 1000) * ticksPerSecond),
    );
    while (tick < due) publish(ticks[tick++]);
    if (tick === ticks.length) stop();
  };
  const timer = setInterval(advance, 1000 / ticksPerSecond);
  const stop = () => {
    clearInterval(timer);
    finish();
  };
  advance();
  return {
    get ticks() {
      return tick;
    },
    get messages() {
      return messages;
    },
    done,
    stop,
    close: () => client.endAsync(),
  };
}
