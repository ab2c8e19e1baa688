import { expect, test } from 'vitest';
import { createAnswerParser, createPacketSplitter } from '../../bench/service-packets.ts';
import { createRounds, type Rounds } from '../../bench/service-rounds.ts';

const streams = 1000;

/** What goes over the wire, in chunks of that many bytes. */
function sendInChunks(rounds: Rounds, count: number, chunkBytes: number): Buffer[] {
  const written: Buffer[] = [];
  rounds.send({ write: (bytes) => written.push(Buffer.from(bytes)) }, count);
  const bytes = Buffer.concat(written);
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
}

test('the readings of a round come once a stream, an hour after the round before, in whole packets', () => {
  const rounds = createRounds({ tag: 'a', qos: 0, streams, seed: 1 });
  const split = createPacketSplitter();
  const seen = new Map<string, string[]>();
  for (const chunk of sendInChunks(rounds, 3 * streams, 777)) {
    split(chunk, (packets, topicAt, end) => {
      const [, topic, payload] =
        /^(a\/s\d{3}\/telemetry)(.*)$/.exec(packets.toString('utf8', topicAt, end)) ?? [];
      const { time, temp } = JSON.parse(payload);
      expect(temp).toSatisfy((value: number) => value > 21 && value < 22);
      seen.set(topic, [...(seen.get(topic) ?? []), time]);
    });
  }
  expect(seen.size).toBe(streams);
  const hours = ['1980-01-01T00:00:00Z', '1980-01-01T01:00:00Z', '1980-01-01T02:00:00Z'];
  for (const times of seen.values()) expect(times).toEqual(hours);
});

test('an answer settles the message of its stream and hour, and no other', () => {
  const rounds = createRounds({ tag: 'a', qos: 0, streams, seed: 1 });
  const parse = createAnswerParser('a', streams);
  rounds.send({ write: () => {} }, 2 * streams);
  const read = (topic: string, payload: string) => parse(Buffer.from(`${topic}${payload}`), 0);
  expect(read('b/s042/forecast', '{}')).toBeUndefined();
  const second = read('a/s042/forecast', '{"stream":"s042","time":"1980-01-01T01:00:00Z"}');
  const first = read('a/s042/forecast', '{"time":"1980-01-01T00:00:00Z","temp":1}');
  expect(first).toEqual({ stream: 42, hour: 87_648 });
  expect(second).toEqual({ stream: 42, hour: 87_649 });
  const settle = (answer: typeof first) => answer && rounds.settle(answer.stream, answer.hour);
  expect(settle({ stream: 42, hour: 87_650 })).toBeUndefined();
  expect(settle(first)).toBeGreaterThan(0);
  expect(settle(first)).toBeNaN();
  expect(settle(second)).toBeGreaterThan(0);
  expect(settle(second)).toBeNaN();
  expect(settle({ stream: 42, hour: 87_647 })).toBeUndefined();
  // one whose predecessor never came
  expect(settle({ stream: 43, hour: 87_649 })).toBeGreaterThan(0);
  expect(settle({ stream: 43, hour: 87_648 })).toBeNaN();
});
