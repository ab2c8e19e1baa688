import type { Protocol } from './broker-options.ts';

/** PUBLISH packets, one behind the other: a turn of the event loop writes them at once. */
export interface PublishPackets {
  /** Bytes that wait. */
  readonly size: number;
  /** @param id of QoS 1; QoS 0 without one */
  add(topic: string, payload: string | Uint8Array, retain: boolean, id?: number): void;
  /** All that waits, which then waits no more. */
  take(): Buffer;
}

const usualBytes = 65_536;
/** The first byte and the longest length. */
const longestHeader = 5;

export function createPublishPackets(protocol: Protocol): PublishPackets {
  // of MQTT 5: an empty list
  const propertyBytes = protocol === '5' ? 1 : 0;
  let bytes = Buffer.allocUnsafe(usualBytes);
  let size = 0;

  function reserve(count: number): void {
    if (size + count <= bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (size + count));
    bytes.copy(grown, 0, 0, size);
    bytes = grown;
  }

  function writePayload(payload: string | Uint8Array, at: number): number {
    if (typeof payload === 'string') return at + bytes.write(payload, at);
    bytes.set(payload, at);
    return at + payload.length;
  }

  return {
    get size() {
      return size;
    },
    add(topic, payload, retain, id) {
      const idBytes = id === undefined ? 0 : 2;
      // a UTF-16 unit takes three bytes of UTF-8 at most
      reserve(longestHeader + 4 + 3 * topic.length + propertyBytes + 3 * payload.length);
      // written behind a header for as many bytes as there are characters, and moved when there are more
      const expectedAt = size + 1 + lengthBytes(2 + topic.length + idBytes + propertyBytes + payload.length);
      const topicBytes = bytes.write(topic, expectedAt + 2);
      bytes[expectedAt] = topicBytes >> 8;
      bytes[expectedAt + 1] = topicBytes & 0xff;
      let at = expectedAt + 2 + topicBytes;
      if (id !== undefined) at = bytes.writeUInt16BE(id, at);
      if (propertyBytes > 0) bytes[at++] = 0;
      const end = writePayload(payload, at);
      const length = end - expectedAt;
      const bodyAt = size + 1 + lengthBytes(length);
      if (bodyAt !== expectedAt) bytes.copyWithin(bodyAt, expectedAt, end);
      bytes[size] = 0x30 + idBytes + (retain ? 1 : 0);
      for (let i = size + 1, left = length; i < bodyAt; i++, left >>>= 7) {
        bytes[i] = (left & 0x7f) | (i < bodyAt - 1 ? 0x80 : 0);
      }
      size = bodyAt + length;
    },
    take() {
      const taken = bytes.subarray(0, size);
      size = 0;
      if (2 * taken.length < bytes.length) return Buffer.from(taken);
      bytes = Buffer.allocUnsafe(usualBytes);
      return taken;
    },
  };
}

/** Seven bits in each. */
function lengthBytes(length: number): number {
  if (length < 1 << 7) return 1;
  if (length < 1 << 14) return 2;
  return length < 1 << 21 ? 3 : 4;
}
