import { crc32 } from 'node:zlib';

// A frame: the length of its payload and the CRC-32 of it, little-endian, then the payload. A write that was cut short, or
// bytes that a disk has lost, end the whole frames of a file and never pass for one. No payload is empty: the zeros that a
// power cut leaves at the end of a file would be frames of them, with the right checksum.

const headerBytes = 8;
/** A length beyond this is damage, not a payload: nothing that is written comes near. */
const longestPayload = 256 * 1024 * 1024;

export function frameOf(payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(headerBytes + payload.length);
  framed.writeUInt32LE(payload.length, 0);
  framed.writeUInt32LE(crc32(payload), 4);
  framed.set(payload, headerBytes);
  return framed;
}

export interface ReadFrames {
  readonly payloads: readonly Buffer[];
  /** Bytes of whole frames; what follows is torn or damaged. */
  readonly wholeBytes: number;
}

/** All whole frames from the start; the first that is none ends them. */
export function readFrames(bytes: Buffer): ReadFrames {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + headerBytes + length;
    if (length === 0 || length > longestPayload || end > bytes.length) break;
    const payload = bytes.subarray(at + headerBytes, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) break;
    payloads.push(payload);
    at = end;
  }
  return { payloads, wholeBytes: at };
}
