import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { connectClient, createClient } from '../mqtt/client.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { readFlatJson } from '../stream/flat-json.ts';

/** What is known of a stream from the broker alone. */
export interface StreamView {
  readonly stream: string;
  /** Of the newest message. */
  timeMs: number;
  /** The newest value of the target, NaN where it is missing. */
  value: number;
  /** Steps ahead -> the newest forecast. */
  ahead: ReadonlyMap<number, number>;
  messages: number;
}

/** A subscriber like any other: it sees what the sensors say and what the service answers. */
export interface Observer {
  /** In the order of their first message. */
  readonly streams: ReadonlyMap<string, StreamView>;
  readonly forecasts: number;
  /** Nanoseconds from publishing a message to reading its forecast back. */
  readonly latencyNs: RecordableHistogram;
  /** A message is about to be published. */
  noteSent(stream: string, time: string): void;
  close(): Promise<void>;
}

export interface ObserverOptions {
  readonly brokerUrl: string;
  readonly sensors: TopicPattern;
  readonly forecasts: TopicPattern;
  /** The key of the target in the sensors' messages. */
  readonly target: string;
  readonly modelId: string;
}

interface ForecastMessage {
  readonly model: string;
  readonly time: string;
  readonly horizons: readonly { readonly steps: number; readonly value: number }[];
}

/** Messages without a forecast stay in the book of departures; it may not grow without a bound. */
const departuresLimit = 10_000;

export async function startObserver(options: ObserverOptions): Promise<Observer> {
  const { brokerUrl, sensors, forecasts, target, modelId } = options;
  const streams = new Map<string, StreamView>();
  const latencyNs = createHistogram();
  const departures = new Map<string, number>();
  let count = 0;
  const view = (stream: string): StreamView => {
    const known = streams.get(stream);
    if (known) return known;
    const fresh: StreamView = {
      stream,
      timeMs: Number.NaN,
      value: Number.NaN,
      ahead: new Map(),
      messages: 0,
    };
    streams.set(stream, fresh);
    return fresh;
  };
  const seeReading = (stream: string, payload: Uint8Array) => {
    const { timeMs, values } = readFlatJson(payload, { features: [target] });
    if (values.length === 0) return;
    const seen = view(stream);
    seen.timeMs = timeMs;
    seen.value = values[0];
    seen.messages++;
  };
  const seeForecast = (stream: string, payload: Buffer) => {
    const forecast = parseForecast(payload, modelId);
    if (!forecast) return;
    const { time, horizons } = forecast;
    count++;
    view(stream).ahead = new Map(horizons.map(({ steps, value }) => [steps, value]));
    const departure = `${stream} ${time}`;
    const sentMs = departures.get(departure);
    if (sentMs === undefined) return;
    departures.delete(departure);
    latencyNs.record(Math.max(1, Math.round((performance.now() - sentMs) * 1e6)));
  };

  const client = createClient(brokerUrl);
  client.on('message', (topic, payload) => {
    const sensor = sensors.streamOf(topic);
    if (sensor !== undefined) seeReading(sensor, payload);
    const answered = forecasts.streamOf(topic);
    if (answered !== undefined) seeForecast(answered, payload);
  });
  await connectClient(client, { filters: [sensors.filter, forecasts.filter] });
  return {
    streams,
    get forecasts() {
      return count;
    },
    latencyNs,
    noteSent(stream, time) {
      if (departures.size < departuresLimit) departures.set(`${stream} ${time}`, performance.now());
    },
    close: () => client.endAsync(),
  };
}

/** Undefined for what the service did not write: anybody may publish to a broker. */
function parseForecast(payload: Buffer, modelId: string): ForecastMessage | undefined {
  try {
    const body = JSON.parse(payload.toString()) as ForecastMessage | null;
    return body?.model === modelId && Array.isArray(body.horizons) ? body : undefined;
  } catch {
    return undefined;
  }
}
