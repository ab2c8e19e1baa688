import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createReceipts } from '../../src/mqtt/receipts.ts';
import { createCommitter } from '../../src/service/committer.ts';

const intervalMs = 1_000;

/** A committer on a disk whose commits end when the test says so, and messages that are numbers. */
function make({ window = Number.POSITIVE_INFINITY } = {}) {
  const said: string[] = [];
  const commits: { done(): void; fail(message: string): void }[] = [];
  let sent = Promise.resolve(true);
  let receipts = createReceipts((packets) => said.push(`acknowledged ${numbersOf(packets)}`));
  let uncommitted = 0;
  let unsealed = 0;
  const committer = createCommitter({
    keeper: {
      get isBehind() {
        return uncommitted > 0;
      },
      get unsealed() {
        return unsealed;
      },
      commit: () =>
        new Promise((resolve, reject) => {
          said.push('commit');
          uncommitted = 0;
          unsealed = 0;
          commits.push({ done: resolve, fail: (message) => reject(new Error(message)) });
        }),
    },
    receipts: () => receipts,
    async forecastsSent() {
      const isSent = await sent;
      said.push(isSent ? 'forecasts sent' : 'no broker');
      return isSent;
    },
    intervalMs,
    window: () => window,
    onHealth: (trouble) => said.push(trouble ? `trouble: ${trouble.message}` : 'healthy'),
  });
  return {
    ...{ committer, said, commits },
    /** A turn with readings of QoS 0 alone. */
    turnUnconfirmed(count: number) {
      uncommitted += count;
      unsealed += count;
      committer.note();
    },
    /** A turn with these messages. */
    turn(...numbers: number[]) {
      uncommitted += numbers.length;
      unsealed += numbers.length;
      if (numbers.length > 0) receipts.add(packetsOf(numbers));
      committer.note();
    },
    holdForecasts() {
      let release = () => {};
      sent = new Promise((resolve) => {
        release = () => resolve(true);
      });
      return () => release();
    },
    setConnected(isConnected: boolean) {
      sent = Promise.resolve(isConnected);
    },
    reconnect() {
      receipts.end();
      receipts = createReceipts((packets) => said.push(`acknowledged ${numbersOf(packets)}`));
    },
  };
}

const packetsOf = (numbers: readonly number[]) =>
  Buffer.concat(numbers.map((number) => Buffer.from([0x40, 2, number >> 8, number & 255])));
const numbersOf = (packets: Buffer) =>
  Array.from({ length: packets.length / 4 }, (_, i) => packets.readUInt16BE(4 * i + 2)).join(' ');
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('receipts', () => {
  test('are acknowledged in the order of arrival, as many as are asked for', () => {
    const written: string[] = [];
    const receipts = createReceipts((packets) => written.push(numbersOf(packets)));
    receipts.add(packetsOf([1, 2]));
    receipts.add(packetsOf([3]));
    expect(receipts.waiting).toBe(3);
    receipts.acknowledge(2);
    receipts.add(packetsOf([4]));
    receipts.acknowledge(5);
    receipts.acknowledge(1);
    expect(receipts.waiting).toBe(0);
    expect(written).toEqual(['1 2', '3 4']);
  });

  test('lose none, however many wait', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9000), fc.nat(9000)), { maxLength: 10 }), (turns) => {
        const written: Buffer[] = [];
        const receipts = createReceipts((packets) => written.push(packets));
        let count = 0;
        for (const [came, acknowledged] of turns) {
          receipts.add(packetsOf(Array.from({ length: came }, () => count++ & 0xffff)));
          receipts.acknowledge(acknowledged);
        }
        receipts.acknowledge(receipts.waiting);
        const all = packetsOf(Array.from({ length: count }, (_, i) => i & 0xffff));
        expect(Buffer.concat(written).equals(all)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('of a connection that has ended acknowledge nothing', () => {
    const written: Buffer[] = [];
    const receipts = createReceipts((packets) => written.push(packets));
    receipts.add(packetsOf([1]));
    receipts.end();
    expect(receipts.waiting).toBe(0);
    receipts.acknowledge(1);
    expect(written).toEqual([]);
  });
});

describe('a committer', () => {
  test('acknowledges at the interval, behind the disk and behind the forecasts', async () => {
    const { said, commits, turn, holdForecasts, committer } = make();
    turn(1, 2);
    turn(3);
    await vi.advanceTimersByTimeAsync(intervalMs - 1);
    expect(said).toEqual([]);
    const release = holdForecasts();
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual(['commit']);
    commits[0].done();
    await settle();
    expect(said).toEqual(['commit']);
    release();
    await settle();
    expect(said).toEqual(['commit', 'forecasts sent', 'acknowledged 1 2 3']);
    expect(committer).toMatchObject({ unacknowledged: 0, commits: 1 });
  });

  test('commits on while the broker takes forecasts slowly, and acknowledges when they are sent', async () => {
    const { said, commits, turn, holdForecasts, committer } = make();
    const release = holdForecasts();
    turn(1);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[0].done();
    turn(2);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[1].done();
    await settle();
    expect(said).toEqual(['commit', 'commit']);
    expect(committer).toMatchObject({ unacknowledged: 2, commits: 2 });
    turn(3);
    release();
    await settle();
    expect(said.filter((line) => line.startsWith('acknowledged'))).toEqual([
      'acknowledged 1',
      'acknowledged 2',
    ]);
    expect(committer.unacknowledged).toBe(1);
  });

  test('leaves what comes during a commit to the next', async () => {
    const { said, commits, turn } = make();
    turn(1);
    await vi.advanceTimersByTimeAsync(intervalMs);
    turn(2);
    commits[0].done();
    await settle();
    expect(said).toEqual(['commit', 'forecasts sent', 'acknowledged 1']);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[1].done();
    await settle();
    expect(said.at(-1)).toBe('acknowledged 2');
  });

  test('has nothing to do without messages', async () => {
    const { said, turn } = make();
    turn();
    await vi.advanceTimersByTimeAsync(5 * intervalMs);
    expect(said).toEqual([]);
  });

  test('commits at once in a session that is new, though nothing else waits, and again where that failed', async () => {
    const { said, commits, turn, committer } = make();
    committer.noteSession();
    expect(said).toEqual(['commit']);
    commits[0].fail('full');
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(intervalMs);
    expect(commits).toHaveLength(2);
    commits[1].done();
    await vi.advanceTimersByTimeAsync(3 * intervalMs);
    expect(commits).toHaveLength(2);
    turn(1);
    await vi.advanceTimersByTimeAsync(intervalMs);
    committer.noteSession();
    commits[2].done();
    await vi.advanceTimersByTimeAsync(0);
    expect(commits).toHaveLength(4);
  });

  test('acknowledges nothing while the disk is in trouble, tries it at the interval and says each change once', async () => {
    const { said, commits, turn, committer } = make();
    for (let message = 0; message < 30; message++) turn(...Array(1_000).fill(message));
    await settle();
    expect(said).toEqual(['commit']);
    commits[0].fail('disk full');
    await settle();
    expect(said).toEqual(['commit', 'trouble: disk full']);
    turn(31);
    turn(32);
    await settle();
    expect(said).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[1].fail('disk full');
    await settle();
    expect(said.slice(2)).toEqual(['commit']);
    expect(committer).toMatchObject({ unacknowledged: 30_002, commits: 0, trouble: new Error('disk full') });
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[2].done();
    await vi.advanceTimersByTimeAsync(256);
    expect(said.slice(3, 6)).toEqual(['commit', 'healthy', 'forecasts sent']);
    expect(said.filter((line) => line.startsWith('acknowledged'))).toHaveLength(255);
    expect(committer).toMatchObject({ unacknowledged: 0, commits: 1, trouble: undefined });
  });

  test('commits at once when as many wait as the broker sends, and later when the window is wider', async () => {
    const { said, commits, turn } = make({ window: 3 });
    turn(1);
    turn(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(said).toEqual([]);
    turn(3);
    await settle();
    expect(said).toEqual(['commit']);
    commits[0].done();
    await settle();
    // more than it should send: not before it is quiet
    turn(4, 5, 6, 7);
    await vi.advanceTimersByTimeAsync(4);
    turn(8);
    await vi.advanceTimersByTimeAsync(4);
    expect(commits).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(commits).toHaveLength(2);
  });

  test('commits at once when 4,096 messages, or readings without one to acknowledge, have come', async () => {
    const { said, commits, turn, turnUnconfirmed } = make();
    turn(...Array(4095).fill(1));
    await settle();
    expect(said).toEqual([]);
    turn(2);
    await settle();
    expect(said).toEqual(['commit']);
    // those of a commit under way count no more
    turn(...Array(4095).fill(3));
    commits[0].done();
    await vi.advanceTimersByTimeAsync(128);
    expect(commits).toHaveLength(1);
    turnUnconfirmed(1);
    await settle();
    expect(commits).toHaveLength(2);
  });

  test('acknowledges a lot in pieces, in order, and at once when it is closed', async () => {
    const { said, commits, turn, committer } = make();
    for (let message = 0; message < 64; message++) turn(...Array(100).fill(message));
    await settle();
    commits[0].done();
    await settle();
    const acknowledged = () =>
      said.filter((line) => line.startsWith('acknowledged')).map((line) => line.split(' ').slice(1));
    // the commit began with the 41st turn
    expect(acknowledged().map(({ length }) => length)).toEqual([32]);
    await vi.advanceTimersByTimeAsync(1);
    expect(acknowledged().map(({ length }) => length)).toEqual([32, 32]);
    expect(committer.unacknowledged).toBe(6400 - 2 * 32);
    const closed = committer.close();
    await vi.advanceTimersByTimeAsync(1);
    expect(acknowledged().flat()).toHaveLength(4100);
    commits[1].done();
    await closed;
    expect(acknowledged().flat().map(Number)).toEqual(
      Array.from({ length: 64 }, (_, message) => Array(100).fill(message)).flat(),
    );
  });

  test('acknowledges nothing whose forecast waits for the broker, and does so at the interval after', async () => {
    const { said, commits, turn, setConnected, committer } = make();
    setConnected(false);
    turn(1, 2);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[0].done();
    await settle();
    expect(said).toEqual(['commit', 'no broker']);
    expect(committer).toMatchObject({ unacknowledged: 2, trouble: undefined });
    setConnected(true);
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits[1].done();
    await settle();
    expect(said.slice(2)).toEqual(['commit', 'forecasts sent', 'acknowledged 1 2']);
  });

  test('forgets receipts of a lost connection, whose messages come again', async () => {
    const { said, commits, turn, committer, reconnect } = make();
    turn(1, 2);
    reconnect();
    turn(1, 2, 3);
    expect(committer.unacknowledged).toBe(3);
    await vi.advanceTimersByTimeAsync(intervalMs);
    turn(4);
    reconnect();
    turn(1);
    commits[0].done();
    await settle();
    expect(said).toEqual(['commit', 'forecasts sent']);
    expect(committer.unacknowledged).toBe(1);
    turn(2);
    expect(committer.unacknowledged).toBe(2);
    reconnect();
    turn(3);
    expect(committer.unacknowledged).toBe(1);
  });

  test('commits and acknowledges the last when it is closed, behind a commit under way', async () => {
    const { said, commits, turn, committer } = make();
    turn(1);
    await vi.advanceTimersByTimeAsync(intervalMs);
    turn(2);
    const closed = committer.close();
    commits[0].done();
    await settle();
    commits[1].done();
    await closed;
    expect(said.filter((line) => line.startsWith('acknowledged'))).toEqual([
      'acknowledged 1',
      'acknowledged 2',
    ]);
    await vi.advanceTimersByTimeAsync(5 * intervalMs);
    expect(commits).toHaveLength(2);
  });
});

describe('a committer at a broker that stalls', () => {
  /** Lets the interval commit, and a disk that is quick. */
  async function commitAtInterval({ commits }: ReturnType<typeof make>) {
    await vi.advanceTimersByTimeAsync(intervalMs);
    commits.at(-1)?.done();
    await settle();
  }
  const messages = (count: number) => Array<number>(count).fill(1);

  /** The broker sends that many, waits for their acknowledgement, and goes on so much later. */
  async function stall(made: ReturnType<typeof make>, count: number, pauseMs = 20) {
    made.turn(...messages(count));
    await commitAtInterval(made);
    await vi.advanceTimersByTimeAsync(pauseMs);
  }

  test('twice at 32 messages commits at once when 32 wait', async () => {
    const made = make();
    await stall(made, 32);
    await stall(made, 32);
    expect(made.commits).toHaveLength(2);
    for (let commit = 2; commit < 5; commit++) {
      made.turn(...messages(31));
      await settle();
      expect(made.commits).toHaveLength(commit);
      made.turn(1);
      await settle();
      expect(made.commits).toHaveLength(commit + 1);
      made.commits[commit].done();
      await settle();
    }
    expect(made.committer.unacknowledged).toBe(0);
  });

  test.each([
    ['at different numbers', 20, [32, 33, 32, 33]],
    ['with a handful of messages', 20, [7, 7, 7, 7]],
    ['and goes on much later', 300, [32, 32, 32, 32]],
  ])('%s is left to the interval', async (_, pauseMs, counts) => {
    const made = make();
    for (const count of counts) await stall(made, count, pauseMs);
    made.turn(...messages(counts[0]));
    made.turn(1);
    await settle();
    expect(made.commits).toHaveLength(4);
  });

  test('is not seen where messages came right before the interval', async () => {
    const made = make();
    for (let commit = 0; commit < 3; commit++) {
      made.turn(...messages(31));
      await vi.advanceTimersByTimeAsync(intervalMs - 50);
      made.turn(1);
      await vi.advanceTimersByTimeAsync(50);
      made.commits[commit].done();
      await settle();
    }
    made.turn(...messages(32));
    await settle();
    expect(made.commits).toHaveLength(3);
  });

  test('has no such window once it has sent more', async () => {
    const made = make();
    await stall(made, 32);
    await stall(made, 32);
    made.turn(...messages(33));
    await settle();
    expect(made.commits).toHaveLength(2);
    await commitAtInterval(made);
    made.turn(...messages(32));
    await settle();
    expect(made.commits).toHaveLength(3);
    // it takes two more to believe it again
    await commitAtInterval(made);
    made.turn(...messages(32));
    await commitAtInterval(made);
    made.turn(...messages(32));
    await settle();
    expect(made.commits).toHaveLength(6);
  });
});
