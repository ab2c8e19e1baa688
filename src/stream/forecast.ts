import { concatMap, map, type OperatorFunction, pipe } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import type { Combine } from '../signal/align.ts';
import { type Counters, createCounters, type MalformedReason } from './counters.ts';
import { sensorFeatures } from './decode.ts';
import { type ForecastMessage, forecastMessage } from './encode.ts';
import type { Envelope } from './payload.ts';
import { road } from './pipeline.ts';
import { flatJson, readBody } from './read-json.ts';

/** A reading as an object, like those that come as JSON: a time, and a number for each feature that it brings. */
export interface SensorReading {
  /** Whose state it advances; readings that name no stream are of the stream `default`. */
  readonly stream?: string;
  /** ISO 8601, epoch seconds or milliseconds, or a Date. */
  readonly time: string | number | Date;
  /** Feature -> number; null is an explicit missing value. Other keys may stand beside them. */
  readonly [key: string]: unknown;
}

export interface ForecastOptions {
  /** How several readings in one frame become one; the model's own way when absent. */
  readonly combine?: Combine;
  /** How long, in event time, a frame waits for readings out of order. */
  readonly latenessMs?: number;
  /** Counts where every reading ends. */
  readonly counters?: Counters;
  /** Takes what cannot be used; without it such a reading ends the stream with a ReadingError. */
  readonly onMalformed?: (reason: MalformedReason, reading: SensorReading) => void;
}

/** A reading that cannot be one of this model. */
export class ReadingError extends Error {
  override readonly name = 'ReadingError';
}

interface ObjectMessage extends Envelope {
  readonly reading: SensorReading;
}

/** The whole road as one operator: readings of any number of streams in, the forecast that each frame gets out.
 * Every subscription has states of its own, born with it. */
export function forecast(
  engine: Engine,
  { counters = createCounters(), onMalformed = refuse, combine, latenessMs }: ForecastOptions = {},
): OperatorFunction<SensorReading, ForecastMessage> {
  const keys = flatJson(sensorFeatures(engine.model));
  return pipe(
    map((reading: SensorReading) => [envelope(reading)]),
    road<ObjectMessage>(engine, {
      decoders: [({ reading, arrivedMs }) => readBody(reading, keys, arrivedMs)],
      onMalformed: (reason, { reading }) => onMalformed(reason, reading),
      ...{ counters, combine, latenessMs },
    }),
    concatMap(({ answers }) =>
      answers.flatMap(({ result }) => (result.kind === 'forecast' ? [forecastMessage(result, engine)] : [])),
    ),
  );
}

function envelope(reading: SensorReading): ObjectMessage {
  // a program may forecast simulated times: no clock judges them
  const arrivedMs = Number.POSITIVE_INFINITY;
  return { route: 0, stream: reading.stream ?? 'default', retained: false, arrivedMs, reading };
}

function refuse(reason: MalformedReason, reading: SensorReading): never {
  throw new ReadingError(`${reason}: ${JSON.stringify(reading)}`);
}
