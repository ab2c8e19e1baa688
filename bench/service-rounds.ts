import { shuffle } from '../src/math/random.ts';

/** Readings of many streams as PUBLISH packets, a round after the other: in each the streams come in the same shuffled
 * order, one hour after the round before. */
export interface Rounds {
  /** Messages under way at most: the packets of more would be patched while they wait in the socket. */
  readonly limit: number;
  send(socket: { write(bytes: Buffer): unknown }, count: number): void;
  /** An answer to the frame of an hour has come: those of the stream before it will not come any more.
   * @returns when the message was sent, NaN for an hour that is past, undefined for one that was never asked for */
  settle(stream: number, hour: number): number | undefined;
  /** Nothing more is expected. */
  forget(): void;
}

export interface RoundsOptions {
  readonly tag: string;
  readonly qos: 0 | 1;
  readonly streams: number;
  readonly seed: number;
}

const firstHour = Date.UTC(1980, 0) / 3_600_000;

/** A stream's name, as wide as all others. */
function streamName(stream: number, streams: number): string {
  return `s${String(stream).padStart(nameDigits(streams), '0')}`;
}

export function nameDigits(streams: number): number {
  return String(streams - 1).length;
}

export function createRounds({ tag, qos, streams, seed }: RoundsOptions): Rounds {
  const order = Int32Array.from({ length: streams }, (_, stream) => stream);
  shuffle(order, seed, 0);
  const copies = Math.ceil(65_536 / streams);
  const places = copies * streams;
  const packets = Array.from(order, (stream) =>
    publish(`${tag}/${streamName(stream, streams)}/telemetry`, qos),
  );
  const size = packets[0].length;
  const bytes = Buffer.concat(Array.from({ length: copies }, () => packets).flat());
  const timeAt = packets[0].indexOf('"time":"') + 8;
  const valueAt = packets[0].indexOf('"temp":') + 7;
  const idAt = packets[0].indexOf('telemetry') + 9;
  const sentMs = new Float64Array(places);
  /** By stream, messages sent and answered. */
  const asked = new Float64Array(streams);
  const settled = new Float64Array(streams);
  const placeOf = new Int32Array(streams);
  order.forEach((stream, place) => {
    placeOf[stream] = place;
  });
  let next = 0;
  let hourText: Buffer = Buffer.alloc(0);
  let dice = seed;
  const patch = (place: number, nowMs: number) => {
    const start = place * size;
    if (place % streams === 0 || hourText.length === 0) hourText = timeOf(Math.floor(next / streams));
    hourText.copy(bytes, start + timeAt);
    // three digits behind the point; xorshift32
    dice ^= dice << 13;
    dice ^= dice >>> 17;
    dice ^= dice << 5;
    for (let digit = 3; digit < 6; digit++)
      bytes[start + valueAt + digit] = 49 + ((dice >>> (4 * digit)) & 7);
    if (qos === 1) bytes.writeUInt16BE(1 + (next % 65_535), start + idAt);
    sentMs[place] = nowMs;
    asked[order[place % streams]]++;
    next++;
  };
  return {
    limit: places / 2,
    send(socket, count) {
      const nowMs = performance.now();
      for (let left = count; left > 0; ) {
        const from = next % places;
        const to = Math.min(places, from + left);
        for (let place = from; place < to; place++) patch(place, nowMs);
        socket.write(bytes.subarray(from * size, to * size));
        left -= to - from;
      }
    },
    settle(stream, hour) {
      const round = hour - firstHour;
      if (!(round >= 0 && round < asked[stream])) return undefined;
      if (round < settled[stream]) return Number.NaN;
      settled[stream] = round + 1;
      return sentMs[(round % copies) * streams + placeOf[stream]];
    },
    forget() {
      settled.set(asked);
    },
  };
}

function timeOf(round: number): Buffer {
  return Buffer.from(new Date((firstHour + round) * 3_600_000).toISOString().replace('.000Z', 'Z'));
}

function publish(topic: string, qos: 0 | 1): Buffer {
  const name = Buffer.from(topic);
  const payload = Buffer.from('{"time":"1980-01-01T00:00:00Z","temp":21.555}');
  const length = 2 + name.length + 2 * qos + payload.length;
  if (length > 127) throw new RangeError(`a packet of ${length} bytes, expected at most 127`);
  const start = Buffer.from([0x30 + 2 * qos, length, 0, name.length]);
  return Buffer.concat([start, name, Buffer.alloc(2 * qos), payload]);
}
