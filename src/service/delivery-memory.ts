import { crc32 } from 'node:zlib';
import { identity, type MonoTypeOperatorFunction, map } from 'rxjs';
import type { Delivery } from '../mqtt/intake.ts';
import type { Mark, MarkSource, Marks } from '../state/marks.ts';
import type { Message } from '../stream/payload.ts';
import type { Route } from './subscriptions.ts';

/** Knows messages again whose readings have no time of their own: a broker that has not seen the acknowledgement of one
 * delivers it on the next connection under the same packet id. */
export interface DeliveryMemory extends MarkSource {
  /** A connection begins. In a session that was not kept the ids mean other messages. */
  begin(isPresent: boolean): void;
  /** A message goes down the road, with its time when `saysTime`. The result says so when it did before. */
  recognize(message: Message, saysTime: boolean): Message;
  /** A message came that is not for the road: its id is no longer that of another. */
  pass(delivery: Pick<Delivery, 'id' | 'dup'>): void;
  /** All that still count, for a snapshot. */
  all(): Marks;
  /** Takes what an earlier life of the service has put into snapshot and log, in order. */
  restore(marks: Marks): void;
}

const ids = 65_536;
/** Of the newest messages, those that are known again. A broker counts its ids up, and uses one again after 65,535: an older
 * one would pass for a new message that happens to say the same. */
const remembered = 32_768;
const never = Number.NEGATIVE_INFINITY;

export function createDeliveryMemory(): DeliveryMemory {
  /** By id: which message it was, counted from the first, the hash of it, and the connection that brought it last. */
  const numbers = new Float64Array(ids).fill(never);
  const hashes = new Uint32Array(ids);
  const connections = new Float64Array(ids);
  let connection = 0;
  let count = 0;
  /** Ids that no record of the log has yet; with `anew` the next has all. */
  let fresh: number[] = [];
  let anew = false;
  let countTaken = 0;

  const isHeld = (id: number) => count - numbers[id] < remembered;

  function heldIds(): number[] {
    const found: number[] = [];
    for (let id = 0; id < ids; id++) if (isHeld(id)) found.push(id);
    return found;
  }

  function pass(id: number, dup: boolean): void {
    numbers[id] = never;
    // one that comes again has been given its id before
    if (!dup) count++;
  }

  function note(id: number, hash: number): void {
    numbers[id] = ++count;
    hashes[id] = hash;
    connections[id] = connection;
    if (anew) return;
    fresh.push(id);
    if (fresh.length <= ids) return;
    // without a log nobody takes them
    fresh = [];
    anew = true;
  }

  function marksOf(some: readonly number[]): Mark[] {
    return some.map((id) => ({ id, hash: hashes[id], age: count - numbers[id] }));
  }

  return {
    begin(isPresent) {
      connection++;
      if (isPresent) return;
      numbers.fill(never);
      fresh = [];
      anew = true;
    },
    recognize(message, saysTime) {
      const { packetId: id, again, retained } = message;
      if (id === undefined) return message;
      if (saysTime || retained) {
        pass(id, again !== undefined);
        return message;
      }
      const hash = hashOf(message);
      if (again && isHeld(id) && hashes[id] === hash && connections[id] < connection) {
        connections[id] = connection;
        return { ...message, again: 'known' };
      }
      note(id, hash);
      return message;
    },
    pass({ id, dup }) {
      // none at QoS 0
      if (id > 0) pass(id, dup);
    },
    restore(marks) {
      if (marks.anew) numbers.fill(never);
      count += marks.passed;
      countTaken = count;
      for (const { id, hash, age } of marks.marks) {
        numbers[id] = count - age;
        hashes[id] = hash;
        connections[id] = 0;
      }
    },
    take() {
      if (!anew && fresh.length === 0) return undefined;
      const marks = marksOf(anew ? heldIds() : fresh.filter(isHeld));
      const found: Marks = { anew, passed: count - countTaken, marks };
      anew = false;
      fresh = [];
      countTaken = count;
      return found;
    },
    all: () => ({ anew: true, passed: 0, marks: marksOf(heldIds()) }),
  };
}

/** Not on arrival, as `pass` is told of what has no readings, but where they go on from, in one go: a commit then has both, the
 * readings and that they were read, or neither. */
export function recognizeAll(
  memory: DeliveryMemory | undefined,
  routes: readonly Pick<Route, 'saysTime'>[],
): MonoTypeOperatorFunction<readonly Message[]> {
  if (memory === undefined) return identity;
  return map((messages) =>
    messages.map((message) => memory.recognize(message, routes[message.route].saysTime)),
  );
}

function hashOf({ stream, feature = '', payload }: Message): number {
  return crc32(payload, crc32(`${stream}/${feature}/`));
}
