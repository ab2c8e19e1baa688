/** What the page shows. Plain JSON: the server sends these types, the page reads them. A missing number is null. */
export interface View {
  readonly overview: Overview;
  /** How many streams match the filter; `rows` holds the first of them. */
  readonly matching: number;
  readonly rows: readonly StreamRow[];
  /** The stream that the page looks at, if there is such a stream. */
  readonly detail: StreamDetail | null;
}

export interface Overview {
  /** Of the service. */
  readonly name: string;
  readonly model: ModelView;
  readonly broker: BrokerView;
  readonly streams: number;
  readonly messagesPerSecond: number;
  /** Forecasts handed to the broker. */
  readonly forecasts: number;
  /** Forecasts that a newer one of the same stream replaced while the broker was away or far behind. */
  readonly superseded: number;
  /** Forecasts that the broker refused. */
  readonly refused: number;
  /** Forecasts that wait for the broker. */
  readonly waiting: number;
  readonly stepUs: Percentiles;
  /** From a message's arrival to its forecast's way out, milliseconds. */
  readonly latencyMs: Percentiles;
  /** Ending -> readings. */
  readonly readings: Readonly<Record<string, number>>;
  /** Reason -> malformed readings. */
  readonly malformed: Readonly<Record<string, number>>;
  readonly error: ErrorView;
  /** A new model that is tried beside the one that publishes. */
  readonly shadow: ShadowView | null;
  /** Of a demo: how far the recording has been played. */
  readonly replay: { readonly done: number; readonly total: number } | null;
}

export interface ModelView {
  readonly name: string;
  readonly version: string;
  readonly id: string;
  /** Such as `lstm 32, int8`. */
  readonly kind: string;
  readonly targets: readonly string[];
  readonly periodMs: number;
  /** Steps ahead that are published. */
  readonly horizons: readonly number[];
}

export interface BrokerView {
  /** host:port */
  readonly address: string;
  /** `starting`: the states go through what was read before, and the service connects after that. */
  readonly state: 'starting' | 'connected' | 'away';
  /** Since when. */
  readonly sinceMs: number;
  readonly reconnects: number;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Mean absolute errors over the forecasts whose target has arrived. */
export interface ErrorView {
  readonly n: number;
  readonly mae: number | null;
  /** Of repeating the newest value, on the same pairs. */
  readonly persistenceMae: number | null;
}

/** The errors of two models on the same readings, since both are stepped. */
export interface ShadowView {
  readonly id: string;
  /** Forecasts of each that have met their readings. */
  readonly n: number;
  readonly mae: number | null;
  /** Of the model that publishes. */
  readonly servingMae: number | null;
}

export type StreamHealth = 'cold' | 'warming' | 'warm' | 'stale' | 'silent';

export interface StreamRow extends ErrorView {
  readonly stream: string;
  /** Of the newest frame, or of what the broker kept (`retained`). */
  readonly timeMs: number;
  readonly value: number | null;
  /** The value is a replay of what the broker kept, no live reading yet. */
  readonly retained: boolean;
  readonly health: StreamHealth;
  /** One for each of the model's horizons; empty before the first forecast. */
  readonly forecast: readonly PointView[];
}

export interface PointView {
  readonly steps: number;
  readonly timeMs: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface StreamDetail {
  readonly stream: string;
  readonly target: string;
  readonly health: StreamHealth;
  /** The newest frames on the time grid, oldest first; null where nothing was read. */
  readonly history: readonly HistoryPoint[];
  /** Every step ahead, from the newest frame. */
  readonly fan: readonly PointView[];
  /** One for each of the model's horizons, that step ahead alone. */
  readonly errors: readonly (ErrorView & { readonly steps: number })[];
}

export interface HistoryPoint {
  readonly timeMs: number;
  readonly value: number | null;
  /** What was forecast for this time, one for each of the model's horizons. */
  readonly forecast: readonly (number | null)[];
}

/** What the page asks for. */
export interface ViewQuery {
  /** Part of a stream's name, any case; empty for all. */
  readonly filter: string;
  /** Index in the model's targets. */
  readonly target: number;
  /** The stream of the chart; the first one when it is empty. */
  readonly stream: string;
}

/** Where the server gets its views; each call looks anew. */
export type ViewSource = (query: ViewQuery) => View;
