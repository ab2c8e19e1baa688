import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { MqttClient } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { createPublishPackets } from '../../src/mqtt/publish-packets.ts';

interface Publication {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly retain: boolean;
  /** Of QoS 1. */
  readonly id?: number | undefined;
}

/** A client of MQTT.js on a connection that keeps what is written. */
async function connectClient(protocol: '5' | '3.1.1') {
  let written: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(bytes, _, done) {
      written.push(bytes);
      done();
    },
  });
  const protocolVersion = protocol === '5' ? 5 : 4;
  let id = 0;
  const messageIdProvider = {
    allocate: () => id,
    getLastAllocated: () => id,
    register: () => true,
    deallocate() {},
    clear() {},
  };
  const options = { protocolVersion, keepalive: 0, reconnectPeriod: 0, messageIdProvider } as const;
  const client = new MqttClient(() => stream, options);
  const connack = protocol === '5' ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0];
  const connected = new Promise((resolve) => client.once('connect', resolve));
  stream.push(Buffer.from(connack));
  await connected;
  return async (publications: readonly Publication[]) => {
    written = [];
    for (const publication of publications) {
      const { topic, payload, retain } = publication;
      const body = typeof payload === 'string' ? payload : Buffer.from(payload);
      id = publication.id ?? 0;
      client.publish(topic, body, { qos: id === 0 ? 0 : 1, retain });
    }
    await new Promise(setImmediate);
    return Buffer.concat(written);
  };
}

const text = (maxLength: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength });
const publication: fc.Arbitrary<Publication> = fc.record({
  topic: text(60),
  payload: fc.oneof(text(300), fc.uint8Array({ maxLength: 300 })),
  retain: fc.boolean(),
  id: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
});

describe.each(['5', '3.1.1'] as const)('packets of MQTT %s', (protocol) => {
  test('are the bytes that MQTT.js would write', async () => {
    const writeByClient = await connectClient(protocol);
    const packets = createPublishPackets(protocol);
    await fc.assert(
      fc.asyncProperty(fc.array(publication, { minLength: 1, maxLength: 20 }), async (publications) => {
        for (const { topic, payload, retain, id } of publications) packets.add(topic, payload, retain, id);
        expect(packets.take()).toEqual(await writeByClient(publications));
        expect(packets.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  // where a length takes one byte more, and where the characters of a payload do not tell how many bytes it takes
  const sizes = [
    100, 110, 120, 121, 122, 123, 124, 125, 126, 127, 128, 5461, 16_370, 16_383, 16_384, 700_000,
  ];
  test.each(sizes)(
    'are so with a payload of %i characters of one, two, three and four bytes',
    async (size) => {
      const writeByClient = await connectClient(protocol);
      const packets = createPublishPackets(protocol);
      for (const unit of ['a', 'é', '中', '🌡']) {
        const sent = { topic: 'a/b', payload: unit.repeat(size / unit.length), retain: false };
        packets.add(sent.topic, sent.payload, sent.retain);
        // not through toEqual, which takes seconds
        expect(packets.take().equals(await writeByClient([sent]))).toBe(true);
      }
    },
  );
});

test.each([10, 100_000])('%i bytes that were taken stay as they are', (size) => {
  const packets = createPublishPackets('3.1.1');
  packets.add('a', 'x'.repeat(size), false);
  const taken = packets.take();
  const before = Buffer.from(taken);
  packets.add('a', 'y'.repeat(size), true);
  packets.take();
  packets.add('a', 'z'.repeat(size), true);
  expect(taken.equals(before)).toBe(true);
});
