import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDeliveryMemory, type DeliveryMemory } from '../../src/service/delivery-memory.ts';
import { readMarks, writeMarks } from '../../src/state/marks.ts';
import type { Message } from '../../src/stream/payload.ts';

function message(
  packetId: number,
  { said = '21.5', stream = 's', dup = false, retained = false } = {},
): Message {
  return {
    ...{ route: 0, stream, payload: Buffer.from(said), retained, arrivedMs: 0, packetId },
    ...(dup && { again: 'perhaps' }),
  };
}

/** Whether it is known, where it comes again and says no time. */
const knows = (memory: DeliveryMemory, id: number, content = {}) =>
  memory.recognize(message(id, { ...content, dup: true }), false).again === 'known';

function openMemory(): DeliveryMemory {
  const memory = createDeliveryMemory();
  memory.begin(false);
  return memory;
}

describe('a message that comes again on a later connection', () => {
  test('is known by its id and what it says, as often as it comes', () => {
    const memory = openMemory();
    expect(memory.recognize(message(1), false).again).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      memory.begin(true);
      expect(knows(memory, 1)).toBe(true);
    }
    memory.begin(true);
    expect(knows(memory, 2)).toBe(false);
    memory.begin(true);
    expect(knows(memory, 1, { said: '21.6' })).toBe(false);
  });

  test('of another stream or feature is another', () => {
    const memory = openMemory();
    memory.recognize(message(1), false);
    memory.recognize({ ...message(2), feature: 'temp' }, false);
    memory.begin(true);
    expect(knows(memory, 1, { stream: 't' })).toBe(false);
    expect(knows(memory, 2)).toBe(false);
  });

  test('is not known on its own connection, nor where the broker does not say that it comes again', () => {
    const memory = openMemory();
    memory.recognize(message(1), false);
    expect(knows(memory, 1)).toBe(false);
    memory.begin(true);
    expect(memory.recognize(message(1), false).again).toBeUndefined();
  });

  test('is not known in a session that is new', () => {
    const memory = openMemory();
    memory.recognize(message(1), false);
    memory.begin(false);
    memory.begin(true);
    expect(knows(memory, 1)).toBe(false);
  });

  test('is not known once its id was that of another: one with a time, a replay, or one for nobody', () => {
    const memory = openMemory();
    for (let id = 1; id <= 4; id++) memory.recognize(message(id), false);
    memory.recognize(message(1), true);
    memory.recognize(message(2, { retained: true }), false);
    memory.pass({ id: 3, dup: false });
    memory.begin(true);
    expect([1, 2, 3, 4].map((id) => knows(memory, id))).toEqual([false, false, false, true]);
  });

  test('is known among the newest 32,768 messages of any kind, however often others came again', () => {
    const memory = openMemory();
    memory.recognize(message(1), false);
    memory.recognize(message(2), false);
    for (let id = 3; id <= 32_769; id++) memory.recognize(message(id), id % 2 === 0);
    memory.begin(true);
    for (let id = 3; id <= 32_769; id++) memory.recognize(message(id, { dup: true }), id % 2 === 0);
    expect([2, 1].map((id) => knows(memory, id))).toEqual([true, false]);
  });

  test('is left as it is at QoS 0', () => {
    const memory = openMemory();
    const { packetId: _, ...sent } = message(1, { dup: true });
    expect(memory.recognize(sent, false)).toBe(sent);
    expect(memory.take()?.marks).toEqual([]);
  });
});

describe('what a log gets', () => {
  test('is what is new, and nothing when nothing is', () => {
    const memory = openMemory();
    expect(memory.take()).toEqual({ anew: true, passed: 0, marks: [] });
    expect(memory.take()).toBeUndefined();
    memory.recognize(message(5), false);
    memory.recognize(message(6), true);
    memory.recognize(message(7), false);
    const taken = memory.take();
    expect(taken).toMatchObject({ anew: false, passed: 3 });
    expect(taken?.marks.map(({ id, age }) => [id, age])).toEqual([
      [5, 2],
      [7, 0],
    ]);
    memory.recognize(message(8), true);
    expect(memory.take()).toBeUndefined();
  });

  test('is all of it for a snapshot, and the new alone after that', () => {
    const memory = openMemory();
    expect(memory.all()).toEqual({ anew: true, passed: 0, marks: [] });
    memory.take();
    memory.recognize(message(5), false);
    memory.take();
    memory.recognize(message(6), false);
    expect(memory.all()).toMatchObject({
      ...{ anew: true, passed: 0 },
      marks: [
        { id: 5, age: 1 },
        { id: 6, age: 0 },
      ],
    });
    expect(memory.take()).toMatchObject({ anew: false, passed: 1, marks: [{ id: 6 }] });
  });

  test('has nothing of QoS 0, which ages nothing either', () => {
    const memory = openMemory();
    memory.recognize(message(5), false);
    for (let i = 0; i < 40_000; i++) memory.pass({ id: 0, dup: false });
    memory.begin(true);
    expect(knows(memory, 5)).toBe(true);
  });

  test('takes no memory where nobody takes it', () => {
    const memory = openMemory();
    memory.take();
    for (let i = 0; i < 200_000; i++) memory.recognize(message(1 + (i % 65_535)), false);
    expect(memory.take()).toMatchObject({ anew: true, marks: { length: 32_768 } });
  });
});

test('a log that is read again has the ages that its records had', () => {
  const restored = (passed: number) => {
    const memory = createDeliveryMemory();
    memory.restore({ anew: false, passed: 3, marks: [{ id: 1, hash: crc32('21.5', crc32('s//')), age: 1 }] });
    memory.restore({ anew: false, passed, marks: [] });
    memory.begin(true);
    return memory;
  };
  expect(knows(restored(32_766), 1)).toBe(true);
  expect(knows(restored(32_767), 1)).toBe(false);
});

/** How a message says when it was measured: not at all, in its payload; or it is for nobody. */
type Kind = 'timeless' | 'timed' | 'aside';
const kinds: readonly Kind[] = ['timeless', 'timeless', 'timed', 'aside'];
const values = ['20', '21', '22'];

interface Sent {
  readonly number: number;
  readonly id: number;
  readonly kind: Kind;
  readonly said: string;
  /** It has been sent on some connection. */
  isSent: boolean;
}

interface LogRecord {
  readonly bytes: Buffer | undefined;
  readonly read: readonly number[];
}

/** A broker, a service that may be killed, and its disk: what it does is what the state keeper does. */
class World {
  private memory = openMemory();
  private flight: Sent[] = [];
  private lastId = 0;
  private count = 0;
  /** Read on this connection and not acknowledged. */
  private unacknowledged: Sent[] = [];
  /** Read since the last commit. */
  private volatile: number[] = [];
  private log: LogRecord[] = [];
  private readonly durable = new Set<number>();
  private readonly stepped = new Set<number>();
  /** Of a session that was lost. */
  private readonly gone = new Set<number>();

  publish(howMany: number, seed: number): void {
    for (let i = 0; i < howMany && this.flight.length < 32_768; i++) {
      this.lastId = (this.lastId % 65_535) + 1;
      const number = this.count++;
      const kind = kinds[(seed + 7 * i) % kinds.length];
      const said = values[(seed + number) % values.length];
      this.flight.push({ number, id: this.lastId, kind, said, isSent: false });
    }
  }

  /** The broker sends, and the service reads the first of what is under way. */
  deliver(sends: number, reads: number): void {
    const known = new Set(this.unacknowledged);
    const next = this.flight.filter((sent) => !known.has(sent)).slice(0, sends);
    next.forEach((sent, i) => {
      const { id, kind, said, number, isSent: dup } = sent;
      sent.isSent = true;
      if (i >= reads) return;
      this.unacknowledged.push(sent);
      if (kind === 'aside') this.memory.pass({ id, dup });
      else this.read(number, this.memory.recognize(message(id, { said, dup }), kind === 'timed'), kind);
    });
    // what is not read is on a connection that is lost
    if (reads < next.length) this.reconnect();
  }

  private read(number: number, { again }: Message, kind: Kind): void {
    if (kind === 'timed') return;
    if (again === 'known') {
      if (!this.stepped.has(number)) throw new Error(`message ${number} is new and was dropped`);
      return;
    }
    if (this.stepped.has(number)) throw new Error(`message ${number} stepped a state twice`);
    this.stepped.add(number);
    this.volatile.push(number);
  }

  private seal(): void {
    const marks = this.memory.take();
    this.log.push({ bytes: marks && writeMarks(marks), read: this.volatile });
    for (const number of this.volatile) this.durable.add(number);
    this.volatile = [];
  }

  /** @param arrive of the acknowledgements, those that the broker gets */
  commit(arrive: number): void {
    this.seal();
    const acknowledged = new Set(this.unacknowledged.slice(0, arrive));
    this.flight = this.flight.filter((sent) => !acknowledged.has(sent));
    if (acknowledged.size < this.unacknowledged.length) this.reconnect();
    this.unacknowledged = [];
  }

  /** A start reads nothing from before it; perhaps the disk never got what was sealed last. */
  snapshot(): void {
    this.seal();
    this.log = [{ bytes: writeMarks(this.memory.all()), read: [] }];
  }

  reconnect(): void {
    this.unacknowledged = [];
    this.memory.begin(true);
  }

  loseSession(): void {
    for (const { number } of this.flight) this.gone.add(number);
    this.flight = [];
    this.lastId = 0;
    this.unacknowledged = [];
    this.memory.begin(false);
    // before the first message of a session can come
    this.seal();
  }

  kill(): void {
    for (const number of this.volatile) this.stepped.delete(number);
    this.volatile = [];
    this.memory = createDeliveryMemory();
    for (const { bytes } of this.log) if (bytes) this.memory.restore(readMarks(bytes));
    this.reconnect();
  }

  /** Every timeless message that the broker has kept is in the states, once. */
  finish(): void {
    this.reconnect();
    this.deliver(65_535, 65_535);
    this.commit(65_535);
    this.kill();
    expect(this.flight).toEqual([]);
    expect(this.stepped).toEqual(this.durable);
  }
}

type Act = (world: World) => void;
const small = fc.nat(40);
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(small, fc.nat(50)).map(
      ([n, seed]): Act =>
        (w) =>
          w.publish(n, seed),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(small, small).map(
      ([n, m]): Act =>
        (w) =>
          w.deliver(n, m),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.nat(60).map(
      (n): Act =>
        (w) =>
          w.commit(n),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Act>((w) => w.snapshot()) },
  { weight: 2, arbitrary: fc.constant<Act>((w) => w.reconnect()) },
  { weight: 2, arbitrary: fc.constant<Act>((w) => w.kill()) },
  { weight: 1, arbitrary: fc.constant<Act>((w) => w.loseSession()) },
  // ids come round again
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: 20_000, max: 32_000 }), fc.nat(50)).map(
      ([n, seed]): Act =>
        (w) => {
          w.publish(n, seed);
          w.deliver(65_535, 65_535);
          w.commit(65_535);
        },
    ),
  },
);

test('no order of deliveries, losses and kills steps a message without a time twice, or drops a new one', () => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60, size: 'max' }), (some) => {
      const world = new World();
      for (const act of some) act(world);
      world.finish();
    }),
    { numRuns: 100 },
  );
}, 60_000);
