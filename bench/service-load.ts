// The sensors and the reader of bench/service.ts in one process, so that one clock times both: raw MQTT 3.1.1 packets,
// prebuilt and patched in place, that cost little beside what they measure.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAnswerParser, createPacketSplitter } from './service-packets.ts';
import { createRounds, type Rounds } from './service-rounds.ts';

/** One stretch of load on one contestant, which answers TAG/NAME/telemetry on TAG/NAME/forecast. */
export interface LoadQuestion {
  readonly tag: string;
  readonly qos: 0 | 1;
  readonly seconds: number;
  /** Messages a second; 0: as fast as answers come, with `window` messages under way. */
  readonly rate: number;
  readonly window: number;
}

export interface LoadAnswer {
  readonly sent: number;
  readonly answered: number;
  /** Answers that came again, as they may behind a lost connection. */
  readonly repeated: number;
  /** Answers to a frame that was never sent. */
  readonly wrong: number;
  /** Answered messages a second, from the first one sent to the last answer. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Answers that are still to come are waited for that long after the last one. */
const SILENCE_MS = 3000;
const [port, streams] = process.argv.slice(2).map(Number);

async function openSocket(clientId: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const id = Buffer.from(clientId);
  const header = Buffer.from([0x10, 12 + id.length, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, id.length]);
  socket.write(Buffer.concat([header, id]));
  await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));
  return socket;
}

function subscribe(socket: Socket, filter: string): void {
  const topic = Buffer.from(filter);
  // at QoS 0, whatever the contestant publishes at: the reader then has nothing to acknowledge
  socket.write(Buffer.from([0x82, 5 + topic.length, 0, 1, 0, topic.length, ...topic, 0]));
}

const sensors = await openSocket('bench-sensors');
const reader = await openSocket('bench-reader');
const roundsOf = new Map<string, Rounds>();
/** Of the messages that the broker has not acknowledged. */
let unacknowledged = 0;
sensors.on('data', (chunk) => {
  // every packet for the sensors is a PUBACK of 4 bytes
  unacknowledged -= chunk.length / 4;
});
subscribe(reader, '+/+/forecast');
await new Promise((resolve) => reader.once('data', resolve));

let onAnswer = (_packets: Buffer, _topicAt: number, _nowMs: number) => {};
let onAnswers = () => {};
const split = createPacketSplitter();
reader.on('data', (chunk) => {
  const nowMs = performance.now();
  split(chunk, (packets, topicAt) => onAnswer(packets, topicAt, nowMs));
  onAnswers();
});

function openRounds({ tag, qos }: LoadQuestion): Rounds {
  const known = roundsOf.get(`${tag}${qos}`);
  if (known) return known;
  const rounds = createRounds({ tag, qos, streams, seed: 1 });
  roundsOf.set(`${tag}${qos}`, rounds);
  return rounds;
}

/** Sends for a while, then waits for the last answers. */
async function load(question: LoadQuestion): Promise<LoadAnswer> {
  const { qos, seconds, rate, window } = question;
  const rounds = openRounds(question);
  const parse = createAnswerParser(question.tag, streams);
  const latencies = new Float64Array(4_000_000);
  const startedMs = performance.now();
  let [sent, answered, repeated, wrong, lastMs] = [0, 0, 0, 0, startedMs];
  onAnswer = (packets, topicAt, nowMs) => {
    const answer = parse(packets, topicAt);
    if (answer === undefined) return;
    const sentMs = rounds.settle(answer.stream, answer.hour);
    if (sentMs === undefined) wrong++;
    else if (Number.isNaN(sentMs)) repeated++;
    else latencies[answered++] = nowMs - sentMs;
    lastMs = nowMs;
  };
  // of the ids of QoS 1 there are 65,535
  const room = () =>
    Math.min(rounds.limit - (sent - answered), qos === 1 ? 30_000 - unacknowledged : sent + 1e6);
  const send = (count: number) => {
    if (count <= 0) return;
    rounds.send(sensors, count);
    sent += count;
    if (qos === 1) unacknowledged += count;
  };
  const isOver = () => performance.now() - startedMs >= seconds * 1000;
  if (rate > 0) {
    while (!isOver()) {
      send(Math.min(Math.floor(((performance.now() - startedMs) * rate) / 1000) - sent, room()));
      await sleep(1);
    }
  } else {
    send(window);
    onAnswers = () => {
      const due = window - (sent - answered);
      // one at a time would cost a write each
      if (due >= window / 64 && !isOver()) send(Math.min(due, room()));
    };
    await sleep(seconds * 1000);
  }
  while (sent > answered + wrong && performance.now() - lastMs < SILENCE_MS) await sleep(1);
  onAnswers = () => {};
  onAnswer = () => {};
  rounds.forget();
  const sorted = latencies.subarray(0, answered).sort();
  return {
    ...{ sent, answered, repeated, wrong },
    perSecond: (1000 * answered) / (lastMs - startedMs),
    p50Ms: sorted[Math.floor(answered * 0.5)] ?? Number.NaN,
    p99Ms: sorted[Math.floor(answered * 0.99)] ?? Number.NaN,
  };
}

console.log(JSON.stringify({ name: 'load' }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await load(JSON.parse(line))));
}
sensors.destroy();
reader.destroy();
