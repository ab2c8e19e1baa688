import type {
  HistoryPoint,
  Overview,
  PointView,
  StreamDetail,
  StreamRow,
  View,
  ViewQuery,
  ViewSource,
} from '../../src/dashboard/view.ts';

/** A service that does not exist: what it shows is exactly what a test has put there. */
export interface InventedService {
  streams: readonly string[];
  /** Frames since the beginning; all values follow from it. */
  frame: number;
  overview: Overview;
  /** Of one stream, over what is invented for all. */
  rows: Readonly<Record<string, Partial<StreamRow>>>;
  details: Readonly<Record<string, Partial<StreamDetail>>>;
  readonly source: ViewSource;
  /** What has been asked for. */
  readonly asked: ViewQuery[];
}

/** Names as nobody should give, and somebody does. */
export const oddNames = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  'x'.repeat(200),
  'Gerät Nr. 7 / Halle süd',
  '../../etc/passwd?a=b&c#d',
];

const horizons = [1, 6, 24] as const;
const periodMs = 3_600_000;
const startMs = Date.UTC(2013, 9, 14);
const frames = 120;
const mostRows = 100;

export function inventService(streams: readonly string[] = ['EWR', 'JFK', 'LGA']): InventedService {
  const service: InventedService = {
    streams,
    frame: 200,
    overview: inventOverview(),
    rows: {},
    details: {},
    asked: [],
    source(query) {
      service.asked.push(query);
      return viewOf(service, query);
    },
  };
  return service;
}

function viewOf(service: InventedService, { filter, stream, target }: ViewQuery): View {
  const found = service.streams.filter((name) => name.toLowerCase().includes(filter.toLowerCase()));
  const wanted = stream === '' ? (service.streams[0] ?? '') : stream;
  return {
    overview: { ...service.overview, streams: service.streams.length },
    matching: found.length,
    rows: found.slice(0, mostRows).map((name) => inventRow(service, name, target)),
    detail: service.streams.includes(wanted) ? inventDetail(service, wanted, target) : null,
  };
}

function inventRow(service: InventedService, stream: string, target: number): StreamRow {
  const index = service.streams.indexOf(stream);
  const fan = inventFan(index, service.frame, target);
  return {
    stream,
    timeMs: timeOf(service.frame),
    value: inventValue(index, service.frame, target),
    retained: false,
    health: 'warm',
    forecast: fan.filter(({ steps }) => horizons.some((horizon) => horizon === steps)),
    n: 3 * service.frame,
    mae: 2 + index / 8,
    persistenceMae: 4,
    ...service.rows[stream],
  };
}

function inventDetail(service: InventedService, stream: string, target: number): StreamDetail {
  const index = service.streams.indexOf(stream);
  const history = Array.from({ length: frames }, (_, back): HistoryPoint => {
    const frame = service.frame - frames + 1 + back;
    return {
      timeMs: timeOf(frame),
      value: frame % 50 === 0 && frame !== service.frame ? null : inventValue(index, frame, target),
      forecast: horizons.map((steps) => inventValue(index, frame, target) + steps / 8),
    };
  });
  return {
    stream,
    target: service.overview.model.targets[target],
    health: inventRow(service, stream, target).health,
    history,
    fan: inventFan(index, service.frame, target),
    errors: horizons.map((steps, place) => ({
      steps,
      n: service.frame - steps,
      mae: 1 + place,
      persistenceMae: 2 + place,
    })),
    ...service.details[stream],
  };
}

function inventFan(index: number, frame: number, target: number): PointView[] {
  return Array.from({ length: 24 }, (_, place) => {
    const steps = place + 1;
    const value = inventValue(index, frame + steps, target) + 0.5;
    return {
      steps,
      timeMs: timeOf(frame + steps),
      value,
      low: value - 1 - steps / 8,
      high: value + 1 + steps / 8,
    };
  });
}

/** A day's wave, in eighths, which every format shows and JSON carries exactly. */
function inventValue(index: number, frame: number, target: number): number {
  return 40 + 5 * index + 100 * target + Math.round(80 * Math.sin((frame / 24) * 2 * Math.PI)) / 8;
}

function timeOf(frame: number): number {
  return startMs + frame * periodMs;
}

function inventOverview(): Overview {
  return {
    name: 'invented',
    model: {
      name: 'nyc-weather',
      version: '1.0.0',
      id: '3fa9c2d1e07b55aa',
      kind: 'lstm 32, int8',
      targets: ['temp'],
      periodMs,
      horizons: [...horizons],
    },
    broker: {
      address: '127.0.0.1:1883',
      state: 'connected',
      sinceMs: Date.UTC(2026, 0, 1, 12),
      reconnects: 0,
    },
    streams: 0,
    messagesPerSecond: 60.25,
    forecasts: 12_345,
    superseded: 0,
    refused: 0,
    waiting: 0,
    stepUs: { p50: 4.125, p99: 12.25 },
    latencyMs: { p50: 0.375, p99: 1.875 },
    readings: { applied: 12_345, merged: 0, duplicate: 2, late: 1, retained: 3, malformed: 3, overflow: 0 },
    malformed: { 'not JSON': 2, 'out of range': 1 },
    error: { n: 37_000, mae: 2.74, persistenceMae: 3.98 },
    shadow: null,
    replay: { done: 436, total: 1_747 },
  };
}
