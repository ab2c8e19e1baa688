import { Duplex } from 'node:stream';
import { MqttClient } from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lastClientId } from '../../src/mqtt/client-ids.ts';
import { createOutgoing } from '../../src/mqtt/outgoing.ts';

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Publications on a socket that takes no more than `open` says, and what was written. */
async function connectOutgoing(window = 65_535) {
  const writes: Buffer[] = [];
  const blocked: (() => void)[] = [];
  const socket = { isOpen: true };
  const stream = new Duplex({
    read() {},
    write(bytes, _, done) {
      writes.push(bytes);
      if (socket.isOpen) done();
      else blocked.push(done);
    },
  });
  const client = new MqttClient(() => stream, { protocolVersion: 4, keepalive: 0, reconnectPeriod: 0 });
  onTestFinished(() => void client.end(true));
  stream.push(Buffer.from([0x20, 2, 0, 0]));
  await new Promise((resolve) => client.once('connect', resolve));
  await endOfTurn();
  writes.length = 0;
  return {
    ...{ outgoing: createOutgoing(client, '3.1.1', () => window), client, writes, socket },
    drain() {
      socket.isOpen = true;
      for (const done of blocked.splice(0)) done();
    },
  };
}

const ended: string[] = [];
/** Notes what became of a publication. */
function note(name: string) {
  return (error?: Error) => void ended.push(error ? `${name}: ${error.message}` : name);
}
const [qos0, qos1] = [
  { qos: 0, retain: false },
  { qos: 1, retain: false },
] as const;

describe('publications on their way out', () => {
  test('go out in one write a turn, in order, whatever their QoS', async () => {
    const { outgoing, writes } = await connectOutgoing();
    ended.length = 0;
    for (const payload of ['a', 'b', 'c']) outgoing.publish('t', payload, qos0, note(payload));
    outgoing.publish('t', 'd', qos1, note('d'));
    expect({ writes, ended }).toEqual({ writes: [], ended: [] });
    await endOfTurn();
    expect(writes).toHaveLength(1);
    expect(writes[0].toString('latin1')).toMatch(/t.*a.*t.*b.*t.*c.*t.*d/s);
    expect(ended).toEqual(['a', 'b', 'c']);
  });

  test('go out before the end of the turn when they are many', async () => {
    const { outgoing, writes } = await connectOutgoing();
    for (let i = 0; i < 100; i++) outgoing.publish('t', 'x'.repeat(1000), qos0, note('x'));
    expect(writes).toHaveLength(1);
    await endOfTurn();
    expect(Buffer.concat(writes).length).toBe(100 * (1000 + 6));
  });

  test('of QoS 0 are done when a full socket has drained', async () => {
    const { outgoing, socket, drain } = await connectOutgoing();
    ended.length = 0;
    socket.isOpen = false;
    for (const name of ['a', 'b']) outgoing.publish('t', 'x'.repeat(40_000), qos0, note(name));
    await endOfTurn();
    outgoing.publish('t', 'c', qos0, note('c'));
    await endOfTurn();
    expect(ended).toEqual([]);
    drain();
    await endOfTurn();
    drain();
    await endOfTurn();
    expect(ended).toEqual(['a', 'b', 'c']);
  });

  test('of QoS 1 are done when their PUBACK comes, refused with its reason, and a strange PUBACK is none of theirs', async () => {
    const { outgoing } = await connectOutgoing();
    ended.length = 0;
    const first = lastClientId + 1;
    for (const name of ['a', 'b', 'c']) outgoing.publish('t', name, qos1, note(name));
    expect(outgoing.acknowledge(first + 2, 0)).toBe(true);
    expect(outgoing.acknowledge(first, 16)).toBe(true);
    expect(outgoing.acknowledge(first + 1, 135)).toBe(true);
    expect(outgoing.acknowledge(first, 0)).toBe(false);
    expect(outgoing.acknowledge(lastClientId, 0)).toBe(false);
    expect(ended).toEqual(['c', 'a', 'b: Not authorized']);
  });

  test('never share an id, nor take one of MQTT.js, and are refused when all are taken', async () => {
    const { outgoing } = await connectOutgoing();
    ended.length = 0;
    const most = 65_535 - lastClientId;
    const kept = lastClientId + 1;
    for (let i = 0; i < most; i++) outgoing.publish('t', '', qos1, note(String(i)));
    outgoing.publish('t', '', qos1, note('beyond'));
    expect(ended).toEqual([`beyond: the broker has not acknowledged ${most} others`]);
    // the first keeps its id while those of all others come round again
    for (let id = kept + 1; id <= 65_535; id++) expect(outgoing.acknowledge(id, 0)).toBe(true);
    outgoing.publish('t', '', qos1, note('again'));
    expect(outgoing.acknowledge(kept + 1, 0)).toBe(true);
    expect(ended.at(-1)).toBe('again');
    expect(outgoing.acknowledge(kept, 0)).toBe(true);
    expect(ended.at(-1)).toBe('0');
  });

  test.each([1, 2])(
    'of QoS 1 are never more than the %i that the broker takes, whoever hands them in',
    async (window) => {
      const { outgoing, writes } = await connectOutgoing(window);
      ended.length = 0;
      const written = () =>
        (
          Buffer.concat(writes)
            .toString('latin1')
            .match(/payload\d/g) ?? []
        ).join(' ');
      let handedIn = 3;
      // as the sink does: as soon as one is done, the next
      const another = (error?: Error) => {
        note('done')(error);
        if (handedIn < 6) outgoing.publish('t', `payload${handedIn++}`, qos1, another);
      };
      for (let i = 0; i < 3; i++) outgoing.publish('t', `payload${i}`, qos1, another);
      outgoing.publish('t', 'payload9', qos0, note('zero'));
      const drained = outgoing.drained();
      for (let i = 0; i < 6; i++) {
        await endOfTurn();
        expect(written().replace(' payload9', '').split(' ')).toHaveLength(Math.min(6, i + window));
        expect(outgoing.acknowledge(lastClientId + 1 + i, 0)).toBe(true);
      }
      await drained;
      expect(written().replace(' payload9', '')).toBe(
        'payload0 payload1 payload2 payload3 payload4 payload5',
      );
      expect(ended.filter((what) => what === 'done')).toHaveLength(6);
    },
  );

  test('that wait for the broker end with the connection too', async () => {
    const { outgoing } = await connectOutgoing(1);
    ended.length = 0;
    for (const name of ['a', 'b', 'c']) outgoing.publish('t', name, qos1, note(name));
    outgoing.endAll(new Error('lost'));
    await outgoing.drained();
    expect(ended).toEqual(['a: lost', 'b: lost', 'c: lost']);
  });

  test('are all ended with the connection, and leave nobody waiting', async () => {
    const { outgoing, socket } = await connectOutgoing();
    ended.length = 0;
    socket.isOpen = false;
    outgoing.publish('t', 'x'.repeat(40_000), qos0, note('written'));
    await endOfTurn();
    outgoing.publish('t', 'b', qos0, note('unwritten'));
    outgoing.publish('t', 'c', qos1, note('unacknowledged'));
    const drained = outgoing.drained();
    outgoing.endAll(new Error('lost'));
    await drained;
    expect(ended.sort()).toEqual(['unacknowledged: lost', 'unwritten: lost', 'written: lost']);
  });

  test('are not written behind the goodbye', async () => {
    const { outgoing, client, writes } = await connectOutgoing();
    ended.length = 0;
    client.end();
    await endOfTurn();
    const before = writes.length;
    outgoing.publish('t', 'late', qos0, note('late'));
    await endOfTurn();
    expect({ writes: writes.length, ended }).toEqual({ writes: before, ended: [] });
    outgoing.endAll(new Error('lost'));
    expect(ended).toEqual(['late: lost']);
  });
});
