import { nameDigits } from './service-rounds.ts';

/** Takes the chunks of a socket apart: `onPacket` gets every whole PUBLISH, of QoS 0, as a place in a buffer. */
export function createPacketSplitter(): (
  chunk: Buffer,
  onPacket: (packets: Buffer, topicAt: number, end: number) => void,
) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk, onPacket) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    while (start + 2 <= bytes.length) {
      let at = start + 1;
      let length = 0;
      // seven bits a byte, the lowest first, while the eighth is set
      for (let shift = 0; at < bytes.length; shift += 7) {
        length |= (bytes[at] & 0x7f) << shift;
        if (bytes[at++] < 0x80) break;
      }
      if (bytes[at - 1] >= 0x80 || at + length > bytes.length) break;
      if (bytes[start] >> 4 === 3) onPacket(bytes, at + 2, at + length);
      start = at + length;
    }
    rest = bytes.subarray(start);
  };
}

interface Answer {
  readonly stream: number;
  /** Hours since 1970. */
  readonly hour: number;
}

/** Reads which frame of TAG/s00042/forecast an answer is for: the stream from its topic, the time from its JSON.
 * @returns undefined for a topic of another tag */
export function createAnswerParser(
  tag: string,
  streams: number,
): (packets: Buffer, topicAt: number) => Answer | undefined {
  const prefix = Buffer.from(`${tag}/s`);
  const digits = nameDigits(streams);
  const known = Buffer.alloc('1980-01-01T00'.length);
  let hour = 0;
  return (packets, topicAt) => {
    const nameAt = topicAt + prefix.length;
    if (packets.compare(prefix, 0, prefix.length, topicAt, nameAt) !== 0) return undefined;
    let stream = 0;
    for (let i = nameAt; i < nameAt + digits; i++) stream = 10 * stream + packets[i] - 48;
    const timeAt = packets.indexOf('"time":"', nameAt) + 8;
    const timeEnd = timeAt + known.length;
    if (packets.compare(known, 0, known.length, timeAt, timeEnd) !== 0) {
      packets.copy(known, 0, timeAt, timeEnd);
      hour = Date.parse(`${known.toString()}:00:00Z`) / 3_600_000;
    }
    return { stream, hour };
  };
}
