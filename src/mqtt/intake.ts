import type { Protocol } from './broker-options.ts';

/** A message as the broker delivers it. */
export interface Delivery {
  readonly topic: string;
  /** Empty where `skippedBytes` is set. */
  readonly payload: Uint8Array;
  /** What a packet that is too large to be held has behind its topic; nothing of it was kept. */
  readonly skippedBytes?: number;
  /** A replay at subscription. */
  readonly retain: boolean;
  /** Perhaps delivered before. */
  readonly dup: boolean;
  /** The broker's number for it until it is acknowledged; 0 at QoS 0. */
  readonly id: number;
}

export interface IntakeOptions {
  readonly protocol: Protocol;
  /** Bytes of a packet. A message in a larger one is delivered without its payload. */
  readonly largestPacket: number;
  /** @returns false for a message that is not taken, and not acknowledged */
  readonly onDelivery: (delivery: Delivery) => boolean;
  /** The broker has accepted the client: whether it has kept its session. Before all that it delivers; the packet itself goes to
   * `onOther`. */
  readonly onSession: (isPresent: boolean) => void;
  /** An answer to a publication of QoS 1; from 0x80 on the code is a refusal.
   * @returns false for one that is for `onOther` */
  readonly onPuback: (id: number, code: number) => boolean;
  /** Gets all other packets, and what is none, in order. */
  readonly onOther: (bytes: Buffer) => void;
  /** Gets the PUBACK packets for what came at QoS 1, those of a chunk together. */
  readonly onAcknowledge: (packets: Buffer) => void;
}

const connack = 0x20;
const puback = 0x40;
/** Bytes of a length at most, seven bits in each. */
const longestLength = 4;
const nothing = new Uint8Array(0);

/** Takes the messages, and the answers to those of this client, out of the bytes that a broker sends; the result gets them chunk by chunk. */
export function createIntake(options: IntakeOptions): (chunk: Buffer) => void {
  const { protocol, largestPacket, onDelivery, onSession, onPuback, onOther, onAcknowledge } = options;
  /** The beginning of a packet, and the bytes that it takes to go on. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  let needed = 0;
  /** Bytes still to come of a packet whose beginning `onOther` has got, or of `skipped`. */
  let passing = 0;
  /** A message that is too large, without its payload, until all of that has come. */
  let skipped: Delivery | undefined;

  /** @returns how many bytes were whole packets, for `onOther` or for nobody */
  function readPackets(bytes: Buffer): number {
    const ids: number[] = [];
    let at = Math.min(passing, bytes.length);
    passing -= at;
    let otherAt = skipped === undefined ? 0 : at;
    deliverSkipped(ids);
    needed = 0;
    while (at < bytes.length) {
      const bodyAt = endOfLength(bytes, at + 1);
      if (bodyAt > bytes.length) break;
      // of what is no packet, all the rest is none either
      const end = bodyAt < 0 ? Number.POSITIVE_INFINITY : bodyAt + lengthAt(bytes, at + 1, bodyAt);
      if (bodyAt > 0 && isRead(bytes[at])) {
        if (otherAt < at) onOther(bytes.subarray(otherAt, at));
        otherAt = at;
        const isHeld = end - at <= largestPacket || !isMessage(bytes[at]);
        const neededEnd = isHeld ? end : endOfHead(bytes, at, bodyAt);
        if (neededEnd > bytes.length) {
          needed = neededEnd - at;
          break;
        }
        if (!isHeld) skipped = skippedOf(bytes, at, bodyAt, end);
        if (!isHeld || readPacket(bytes, at, bodyAt, end, ids)) otherAt = Math.min(end, bytes.length);
      }
      passing = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
      deliverSkipped(ids);
    }
    if (otherAt < at) onOther(bytes.subarray(otherAt, at));
    if (ids.length > 0) onAcknowledge(acknowledge(ids));
    return at;
  }

  /** At its end and not before, as every message: of one that a lost connection cuts off the broker sends all once more. */
  function deliverSkipped(ids: number[]): void {
    if (skipped === undefined || passing > 0) return;
    const { id } = skipped;
    if (onDelivery(skipped) && id > 0) ids.push(id >> 8, id & 0xff);
    skipped = undefined;
  }

  /** @returns false for what is for `onOther` */
  function readPacket(bytes: Buffer, start: number, bodyAt: number, end: number, ids: number[]): boolean {
    if (bytes[start] === puback) return readPuback(bytes, bodyAt, end);
    if (bytes[start] !== connack) return readMessage(bytes, start, bodyAt, end, ids);
    // flags, and the code of success: a refusal says nothing of a session
    if (end >= bodyAt + 2 && bytes[bodyAt + 1] === 0) onSession((bytes[bodyAt] & 1) !== 0);
    return false;
  }

  /** @returns false for what MQTT.js has to refuse */
  function readMessage(bytes: Buffer, start: number, bodyAt: number, end: number, ids: number[]): boolean {
    const headEnd = endOfHead(bytes, start, bodyAt);
    let payloadAt = headEnd;
    if (protocol === '5') {
      const propertiesAt = endOfLength(bytes, payloadAt);
      if (propertiesAt < 0) return false;
      payloadAt = propertiesAt + lengthAt(bytes, payloadAt, propertiesAt);
    }
    // without a topic there is an alias, which this client never allows
    const idBytes = idBytesOf(bytes[start]);
    if (headEnd === bodyAt + 2 + idBytes || !(payloadAt <= end)) return false;
    const isTaken = onDelivery(deliveryOf(bytes, start, bodyAt, bytes.subarray(payloadAt, end)));
    if (isTaken && idBytes > 0) ids.push(bytes[headEnd - 2], bytes[headEnd - 1]);
    return true;
  }

  function readPuback(bytes: Buffer, bodyAt: number, end: number): boolean {
    if (end < bodyAt + 2) return false;
    // MQTT 5 leaves out the code of success
    return onPuback(bytes[bodyAt] * 256 + bytes[bodyAt + 1], end > bodyAt + 2 ? bytes[bodyAt + 2] : 0);
  }

  return (chunk) => {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < needed) return;
    const bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes);
    const read = readPackets(bytes);
    held = read < bytes.length ? [bytes.subarray(read)] : [];
    heldBytes = bytes.length - read;
  };
}

/** Begins a packet that is read here. */
function isRead(firstByte: number): boolean {
  return isMessage(firstByte) || firstByte === puback || firstByte === connack;
}

/** PUBLISH at QoS 0 or 1. */
function isMessage(firstByte: number): boolean {
  return firstByte >> 4 === 3 && (firstByte & 4) === 0;
}

/** The place behind topic and id of a message, or one before it that is beyond the bytes. */
function endOfHead(bytes: Buffer, start: number, bodyAt: number): number {
  const topicAt = bodyAt + 2;
  if (topicAt > bytes.length) return topicAt;
  return topicAt + bytes[bodyAt] * 256 + bytes[bodyAt + 1] + idBytesOf(bytes[start]);
}

/** At QoS 0 there is none. */
function idBytesOf(firstByte: number): 0 | 2 {
  return (firstByte & 2) === 0 ? 0 : 2;
}

/** The message of a packet that is not held. */
function skippedOf(bytes: Buffer, start: number, bodyAt: number, end: number): Delivery {
  const skippedBytes = end - endOfHead(bytes, start, bodyAt);
  return { ...deliveryOf(bytes, start, bodyAt, nothing), skippedBytes };
}

function deliveryOf(bytes: Buffer, start: number, bodyAt: number, payload: Uint8Array): Delivery {
  const flags = bytes[start];
  const idBytes = idBytesOf(flags);
  const topicEnd = endOfHead(bytes, start, bodyAt) - idBytes;
  return {
    topic: bytes.toString('utf8', bodyAt + 2, topicEnd),
    payload,
    retain: (flags & 1) !== 0,
    dup: (flags & 8) !== 0,
    id: idBytes > 0 ? bytes[topicEnd] * 256 + bytes[topicEnd + 1] : 0,
  };
}

/** The place behind the length that begins at `at`: beyond the bytes when it does not end in them, -1 when it is none. */
function endOfLength(bytes: Buffer, at: number): number {
  for (let i = at; i < at + longestLength; i++) {
    if (i >= bytes.length) return bytes.length + 1;
    if (bytes[i] < 0x80) return i + 1;
  }
  return -1;
}

function lengthAt(bytes: Buffer, at: number, end: number): number {
  let length = 0;
  for (let i = end - 1; i >= at; i--) length = length * 128 + (bytes[i] & 0x7f);
  return length;
}

/** One PUBACK, of four bytes in MQTT 5 too, for each id. */
function acknowledge(ids: readonly number[]): Buffer {
  const packets = Buffer.allocUnsafe(2 * ids.length);
  for (let i = 0; i < ids.length; i += 2) {
    packets[2 * i] = puback;
    packets[2 * i + 1] = 2;
    packets[2 * i + 2] = ids[i];
    packets[2 * i + 3] = ids[i + 1];
  }
  return packets;
}
