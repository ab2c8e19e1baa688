import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { createLink } from '../mqtt/link.ts';
import type { TopicPattern } from '../mqtt/topic.ts';

/** A subscriber like any other: it counts what comes back, and how long that takes. */
export interface Observer {
  readonly forecasts: number;
  /** Nanoseconds from publishing a message to reading its forecast back. */
  readonly latencyNs: RecordableHistogram;
  /** A message is about to be published. */
  noteSent(payload: string, stream: string): void;
  close(): Promise<void>;
}

export interface ObserverOptions {
  readonly brokerUrl: string;
  readonly forecasts: TopicPattern;
  readonly modelId: string;
}

/** Messages without a forecast stay in the book of departures; it may not grow without a bound. */
const departuresLimit = 10_000;
const connectTimeoutMs = 5_000;

export async function startObserver({ brokerUrl, forecasts, modelId }: ObserverOptions): Promise<Observer> {
  const latencyNs = createHistogram();
  const departures = new Map<string, number>();
  let count = 0;
  const link = createLink({ url: brokerUrl, filters: [{ topic: forecasts.filter, qos: 0 }] });
  link.onMessage(({ payload }) => {
    const forecast = parseForecast(payload, modelId);
    if (!forecast) return;
    count++;
    const departure = `${forecast.stream} ${forecast.time}`;
    const sentMs = departures.get(departure);
    if (sentMs === undefined) return;
    departures.delete(departure);
    latencyNs.record(Math.max(1, Math.round((performance.now() - sentMs) * 1e6)));
  });
  await link.open({ timeoutMs: connectTimeoutMs });
  return {
    get forecasts() {
      return count;
    },
    latencyNs,
    noteSent(payload, stream) {
      const { time } = JSON.parse(payload) as { time: string };
      if (departures.size < departuresLimit) departures.set(`${stream} ${time}`, performance.now());
    },
    close: () => link.close(),
  };
}

interface ForecastMessage {
  readonly stream: string;
  readonly model: string;
  readonly time: string;
}

/** Undefined for what the service did not write: anybody may publish to a broker. */
function parseForecast(payload: Uint8Array, modelId: string): ForecastMessage | undefined {
  try {
    const body = JSON.parse(new TextDecoder().decode(payload)) as ForecastMessage | null;
    return body?.model === modelId ? body : undefined;
  } catch {
    return undefined;
  }
}
