import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIntake, type Delivery } from '../../src/mqtt/intake.ts';
import { until } from './until.ts';

/** A packet by the book: section 2 of the standard. */
function packet(firstByte: number, body: Uint8Array): Buffer {
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left % 128) + (left >= 128 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.from([firstByte, ...length]), body]);
}

interface SentMessage extends Delivery {
  readonly qos: 0 | 1;
  readonly id: number;
  readonly properties: Uint8Array;
}

function publish(message: SentMessage, protocol: '5' | '3.1.1'): Buffer {
  const { topic, payload, retain, dup, qos, id, properties } = message;
  const name = Buffer.from(topic);
  const flags = 0x30 + (dup ? 8 : 0) + 2 * qos + (retain ? 1 : 0);
  const numbers = (value: number) => [value >> 8, value & 0xff];
  return packet(
    flags,
    Buffer.concat([
      Buffer.from([...numbers(name.length), ...name, ...(qos === 1 ? numbers(id) : [])]),
      // a list of properties is as long as it says, like a packet
      ...(protocol === '5' ? [packet(0, properties).subarray(1)] : []),
      payload,
    ]),
  );
}

/** Lower ids are of publications of MQTT.js. */
const firstId = 256;

/** What a packet has behind its topic and id. */
function restBytes({ payload, properties }: SentMessage, protocol: '5' | '3.1.1'): number {
  return payload.length + (protocol === '5' ? packet(0, properties).length - 1 : 0);
}

interface TakeOptions {
  readonly isTaken?: (delivery: Delivery) => boolean;
  readonly largestPacket?: number;
}

/** What came of bytes in chunks that end at `cuts`. */
function take(
  bytes: Buffer,
  cuts: readonly number[],
  protocol: '5' | '3.1.1',
  { isTaken = () => true, largestPacket = 2 ** 28 }: TakeOptions = {},
) {
  const deliveries: Delivery[] = [];
  const others: Buffer[] = [];
  const acknowledged: Buffer[] = [];
  const pubacks: (readonly [id: number, code: number])[] = [];
  const sessions: boolean[] = [];
  const order: string[] = [];
  const intake = createIntake({
    ...{ protocol, largestPacket },
    onDelivery: (delivery) => {
      deliveries.push({ ...delivery, payload: Buffer.from(delivery.payload) });
      order.push('message');
      return isTaken(delivery);
    },
    onSession: (isPresent) => {
      sessions.push(isPresent);
      order.push('session');
    },
    onPuback: (id, code) => {
      if (id < firstId) return false;
      pubacks.push([id, code]);
      return true;
    },
    onOther: (other) => {
      others.push(Buffer.from(other));
      order.push('other');
    },
    onAcknowledge: (packets) => acknowledged.push(packets),
  });
  const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((one, next) => one - next);
  ends.forEach((end, i) => {
    // a copy, as of a socket that uses its memory again
    intake(Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)));
  });
  return {
    deliveries,
    others: Buffer.concat(others),
    acknowledged: Buffer.concat(acknowledged),
    pubacks,
    sessions,
    order,
  };
}

const message = (lengths: { payload: number }): fc.Arbitrary<SentMessage> =>
  fc.record({
    topic: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    payload: fc.uint8Array({ maxLength: lengths.payload }),
    retain: fc.boolean(),
    dup: fc.boolean(),
    qos: fc.constantFrom(0 as const, 1 as const),
    id: fc.integer({ min: 1, max: 65_535 }),
    properties: fc.uint8Array({ maxLength: 200 }),
  });
// CONNACK, SUBACK, PUBREL, PINGRESP, DISCONNECT
const other = fc
  .tuple(fc.constantFrom(0x20, 0x90, 0x62, 0xd0, 0xe0), fc.uint8Array({ maxLength: 300 }))
  .map(([firstByte, body]) => packet(firstByte, body));

interface Puback {
  readonly puback: Buffer;
  readonly id: number;
  readonly code: number;
}
const puback: fc.Arbitrary<Puback> = fc
  .record({ id: fc.integer({ min: 1, max: 65_535 }), code: fc.constantFrom(0, 16, 0x80, 0x87) })
  .map(({ id, code }) => {
    const answer = [id >> 8, id & 0xff, ...(code === 0 ? [] : [code, 0])];
    return { id, code, puback: packet(0x40, Buffer.from(answer)) };
  });

type Sent = SentMessage | Puback | Buffer;
const isMessage = (sent: Sent): sent is SentMessage => 'topic' in sent;
const isPuback = (sent: Sent): sent is Puback => 'puback' in sent;

describe.each(['5', '3.1.1'] as const)('the intake of MQTT %s', (protocol) => {
  test('delivers every message, hands on every other byte and acknowledges QoS 1, however the bytes are cut', () => {
    const packets = fc.array(fc.oneof(message({ payload: 400 }), puback, other), { maxLength: 12 });
    const cuts = fc.array(fc.nat(4000), { maxLength: 30 });
    const largest = fc.integer({ min: 20, max: 700 });
    const bytesOf = (sent: Sent) => {
      if (isMessage(sent)) return publish(sent, protocol);
      return isPuback(sent) ? sent.puback : sent;
    };
    fc.assert(
      fc.property(packets, cuts, largest, (sent, ends, largestPacket) => {
        const bytes = Buffer.concat(sent.map(bytesOf));
        const messages = sent.filter(isMessage);
        const pubacks = sent.filter((one) => isPuback(one) && one.id >= firstId) as Puback[];
        const others = sent.filter((one) => !isMessage(one) && !(isPuback(one) && one.id >= firstId));
        const taken = take(bytes, ends, protocol, { largestPacket });
        const expected = messages.map((one) => {
          const { topic, payload, retain, dup, qos, id } = one;
          const isHeld = publish(one, protocol).length <= largestPacket;
          const body = isHeld
            ? { payload: Buffer.from(payload) }
            : { payload: Buffer.alloc(0), skippedBytes: restBytes(one, protocol) };
          return { topic, ...body, retain, dup, id: qos * id };
        });
        expect(taken.deliveries).toEqual(expected);
        expect(taken.others).toEqual(Buffer.concat(others.map(bytesOf)));
        expect(taken.pubacks).toEqual(pubacks.map(({ id, code }) => [id, code]));
        const ids = messages.filter(({ qos }) => qos === 1).map(({ id }) => id);
        const acknowledgements = ids.flatMap((id) => [0x40, 2, id >> 8, id & 0xff]);
        expect(taken.acknowledged).toEqual(Buffer.from(acknowledgements));
      }),
      { numRuns: 500 },
    );
  });

  test('does not acknowledge a message that is not taken', () => {
    const sent = {
      payload: Buffer.from('x'),
      retain: false,
      dup: false,
      qos: 1,
      properties: Buffer.alloc(0),
    } as const;
    const bytes = Buffer.concat(
      ['a', 'b', 'c'].map((topic, i) => publish({ ...sent, topic, id: i + 1 }, protocol)),
    );
    const { acknowledged } = take(bytes, [], protocol, { isTaken: ({ topic }) => topic !== 'b' });
    expect(acknowledged).toEqual(Buffer.from([0x40, 2, 0, 1, 0x40, 2, 0, 3]));
  });

  test('skips the rest of a message that is too large, which is delivered and acknowledged when all of it has come', () => {
    const sent = { retain: false, dup: true, qos: 1, properties: Buffer.alloc(3) } as const;
    const [before, large, after] = [
      { topic: 'a', id: 1, payload: Buffer.alloc(10) },
      // every byte of it could begin a message
      { topic: 'much', id: 0x0203, payload: Buffer.alloc(3000, 0x33) },
      { topic: 'c', id: 3, payload: Buffer.alloc(10) },
    ].map((one) => publish({ ...sent, ...one }, protocol));
    const bytes = Buffer.concat([before, large, after]);
    const pubacks = [0x40, 2, 0, 1, 0x40, 2, 2, 3, 0x40, 2, 0, 3];
    for (let cut = 1; cut < bytes.length; cut += cut < 100 || cut > 2950 ? 1 : 97) {
      const taken = take(bytes, [cut], protocol, { largestPacket: 1000 });
      expect(taken.deliveries.map(({ topic }) => topic)).toEqual(['a', 'much', 'c']);
      expect(taken.deliveries[1]).toMatchObject({ payload: Buffer.alloc(0), dup: true, id: 0x0203 });
      expect(taken.deliveries[1].skippedBytes).toBe(3000 + (protocol === '5' ? 4 : 0));
      expect(taken.acknowledged).toEqual(Buffer.from(pubacks));
      expect(taken.others).toHaveLength(0);
    }
    const cutOff = bytes.subarray(0, before.length + large.length - 1);
    const { deliveries, acknowledged } = take(cutOff, [], protocol, { largestPacket: 1000 });
    expect(deliveries.map(({ topic }) => topic)).toEqual(['a']);
    expect(acknowledged).toEqual(Buffer.from(pubacks.slice(0, 4)));
  });

  test('hands on what stands before a message first', () => {
    const connack = packet(0x20, Buffer.alloc(3));
    const sent = { topic: 'a', payload: Buffer.from('x'), retain: false, dup: false, qos: 0, id: 1 } as const;
    const bytes = Buffer.concat([
      connack,
      publish({ ...sent, properties: Buffer.alloc(0) }, protocol),
      connack,
    ]);
    const { order } = take(bytes, [], protocol);
    expect(order.filter((what) => what !== 'session')).toEqual(['other', 'message', 'other']);
  });

  test('says whether the session was kept before what it brings, and nothing at a refusal', () => {
    const rest = protocol === '5' ? [3, 0x21, 0xff, 0xff] : [];
    const sent = { topic: 'a', payload: Buffer.from('x'), retain: false, dup: true, qos: 1, id: 1 } as const;
    const first = publish({ ...sent, properties: Buffer.alloc(0) }, protocol);
    for (const isPresent of [false, true]) {
      const connack = packet(0x20, Buffer.from([isPresent ? 1 : 0, 0, ...rest]));
      const bytes = Buffer.concat([connack, first]);
      for (let cut = 0; cut < bytes.length; cut++) {
        const taken = take(bytes, [cut], protocol);
        expect(taken.sessions).toEqual([isPresent]);
        expect(taken.order).toEqual(['session', 'other', 'message']);
        expect(taken.others).toEqual(connack);
      }
    }
    expect(take(packet(0x20, Buffer.from([0, 5, ...rest])), [], protocol).sessions).toEqual([]);
  });

  test.each([
    ['a length that never ends', Buffer.alloc(64, 0xff)],
    ['an acknowledgement without an id', packet(0x40, Buffer.from([1]))],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a message without a topic', packet(0x30, Buffer.alloc(8))],
    ['a topic longer than its packet', packet(0x30, Buffer.from([0, 9, 0x61]))],
    ['a message of QoS 2', packet(0x34, Buffer.from([0, 1, 0x61, 0, 1, 0]))],
    ['a message of QoS 3', packet(0x36, Buffer.from([0, 1, 0x61, 0, 1, 0]))],
  ])('leaves %s to MQTT.js', (_, bytes) => {
    for (let cut = 0; cut < bytes.length; cut++) {
      const taken = take(bytes, [cut], protocol);
      expect(taken).toMatchObject({ deliveries: [], others: bytes });
      expect(taken.acknowledged).toHaveLength(0);
    }
  });
});

test('takes a large message in many chunks, each byte copied once', () => {
  const payload = Buffer.alloc(3_000_000, 7);
  const sent = { topic: 'a', payload, retain: false, dup: false, qos: 0, id: 1 } as const;
  const bytes = publish({ ...sent, properties: Buffer.alloc(0) }, '3.1.1');
  const cuts = Array.from({ length: bytes.length / 1000 }, (_, i) => 1000 * (i + 1));
  const started = process.cpuUsage();
  expect(take(bytes, cuts, '3.1.1').deliveries[0].payload.length).toBe(payload.length);
  // 3,000 copies of what is there already would be 4.5 GB
  const { user, system } = process.cpuUsage(started);
  expect(user + system).toBeLessThan(1e6);
});

test('holds nothing of a message that is too large', async () => {
  const chunkBytes = 65_536;
  const chunks = 3000;
  const head = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x5e, 0, 1, 0x61]);
  const body = (0x5e << 21) - 3;
  const seen: Delivery[] = [];
  const intake = createIntake({
    ...{ protocol: '3.1.1', largestPacket: 1 << 24 },
    onDelivery: (delivery) => seen.push(delivery) > 0,
    onSession: () => {},
    onPuback: () => false,
    onOther: () => {},
    onAcknowledge: () => {},
  });
  intake(head);
  global.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < chunks; i++) intake(Buffer.allocUnsafeSlow(chunkBytes));
  // another thread frees what is collected, some time later
  await until(() => {
    global.gc?.();
    return process.memoryUsage().arrayBuffers - before < 20_000_000;
  });
  intake(Buffer.alloc(body - chunks * chunkBytes));
  expect(seen).toMatchObject([{ topic: 'a', skippedBytes: body }]);
});
