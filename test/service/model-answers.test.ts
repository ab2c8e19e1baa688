import { expect, test } from 'vitest';
import { ConnectionLostError, PublicationRefusedError } from '../../src/mqtt/broker-error.ts';
import type { Done } from '../../src/mqtt/outgoing.ts';
import { createLog } from '../../src/service/log.ts';
import { createModelAnswers, type ModelAnswer } from '../../src/service/model-answers.ts';

const id = 'ab'.repeat(32);
const answer = (status: ModelAnswer['status']): ModelAnswer => ({ id, release: 1, status });

/** Answers to a broker that acknowledges when the test says so. */
function make({ topic }: { readonly topic: string | undefined } = { topic: 'models' }) {
  const published: { readonly topic: string; readonly status: string }[] = [];
  const lines: Record<string, unknown>[] = [];
  let underWay: Done[] = [];
  let isConnected = true;
  let change = (_: boolean) => {};
  const models = { refused: 0 };
  const ending = new AbortController();
  const answers = createModelAnswers({
    link: {
      publish(topic, payload, options, done = () => {}) {
        expect(options).toEqual({ qos: 1, retain: true });
        if (!isConnected) return done(new ConnectionLostError('no connection to the broker'));
        published.push({ topic, status: JSON.parse(payload as string).status });
        underWay.push(done);
      },
      onChange(handler) {
        change = handler;
        return () => {
          change = () => {};
        };
      },
    },
    ...{ topic, models, signal: ending.signal },
    log: createLog('answers', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } }),
  });
  const setConnected = (connected: boolean) => {
    isConnected = connected;
    const lost = underWay;
    underWay = [];
    for (const done of lost) done(new ConnectionLostError('the connection was lost'));
    change(connected);
  };
  return {
    ...{ answers, published, lines, models, setConnected, abort: () => ending.abort() },
    statuses: () => published.map(({ status }) => status),
    end: (error?: Error) => underWay.shift()?.(error),
  };
}

test('answers go one after the other, the next when the broker has had the one before', () => {
  const { answers, published, statuses, end } = make();
  answers.say(answer('accepted'));
  answers.say(answer('shadow'));
  answers.say(answer('promoted'));
  expect(published).toEqual([{ topic: 'models/status', status: 'accepted' }]);
  end();
  expect(statuses()).toEqual(['accepted', 'shadow']);
  // one that the broker refuses holds up nothing
  end(new PublicationRefusedError('quota exceeded'));
  expect(statuses()).toEqual(['accepted', 'shadow', 'promoted']);
  end();
  answers.say(answer('accepted'));
  expect(statuses()).toEqual(['accepted', 'shadow', 'promoted', 'accepted']);
});

test('of those that a lost connection takes along, and of those said meanwhile, the last is said at the next', () => {
  const { answers, statuses, setConnected, end } = make();
  answers.say(answer('accepted'));
  answers.say(answer('shadow'));
  setConnected(false);
  expect(statuses()).toEqual(['accepted']);
  answers.say(answer('promoted'));
  setConnected(true);
  expect(statuses()).toEqual(['accepted', 'promoted']);
  answers.say(answer('accepted'));
  end();
  expect(statuses()).toEqual(['accepted', 'promoted', 'accepted']);
  answers.stop();
  setConnected(true);
  expect(statuses()).toHaveLength(3);
});

test('a refusal is counted and said, until the service stops', () => {
  const { answers, statuses, models, abort } = make();
  answers.refuse({ id, release: 1 }, 'it is not signed');
  abort();
  answers.refuse({ id, release: 1 }, 'it was closed');
  expect(models.refused).toBe(1);
  expect(statuses()).toEqual(['refused']);
});

test('a broker that acknowledges nothing lets no more than a hundred wait, the newest of them', () => {
  const { answers, statuses, end } = make();
  answers.say(answer('accepted'));
  for (let i = 0; i < 1_000; i++) answers.say(answer('shadow'));
  answers.say(answer('promoted'));
  expect(statuses()).toEqual(['accepted']);
  for (let i = 0; i < 1_000; i++) end();
  expect(statuses()).toHaveLength(100);
  expect(statuses().at(-1)).toBe('promoted');
});

test('without a topic nothing is published', () => {
  const { answers, published, models, setConnected } = make({ topic: undefined });
  answers.refuse({ id, release: 1 }, 'it is not signed');
  setConnected(true);
  expect(models.refused).toBe(1);
  expect(published).toEqual([]);
});

test('of refusals that anybody may bring about one of a kind is logged a minute, and all are counted', () => {
  const { answers, lines, models } = make();
  for (const kind of ['unreadable', 'unsigned']) {
    for (let i = 0; i < 100; i++) answers.refuse({ id, release: null }, `it is ${kind}, the ${i}th`, kind);
  }
  for (let i = 0; i < 2; i++) answers.refuse({ id, release: 1 }, 'its release is 1');
  expect(lines.map(({ reason }) => reason)).toEqual([
    ...['it is unreadable, the 0th', 'it is unsigned, the 0th', 'its release is 1', 'its release is 1'],
  ]);
  expect(models.refused).toBe(202);
});
