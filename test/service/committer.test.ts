import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Receipt } from '../../src/mqtt/receipts.ts';
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
      get uncommitted() {
        return uncommitted;
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
    takeReceipt: () => receipts.take(),
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
  test('are acknowledged in the order of arrival, in one piece', () => {
    const written: string[] = [];
    const receipts = createReceipts((packets) => written.push(numbersOf(packets)));
    receipts.add(packetsOf([1, 2]));
    receipts.add(packetsOf([3]));
    const first = receipts.take();
    receipts.add(packetsOf([4]));
    expect(first.messages).toBe(3);
    first.acknowledge();
    receipts.take().acknowledge();
    expect(receipts.take().messages).toBe(0);
    receipts.take().acknowledge();
    expect(written).toEqual(['1 2 3', '4']);
  });

  test('of a connection that has ended acknowledge nothing', () => {
    const written: Buffer[] = [];
    const receipts = createReceipts((packets) => written.push(packets));
    receipts.add(packetsOf([1]));
    const receipt: Receipt = receipts.take();
    expect(receipt.isVoid).toBe(false);
    receipts.end();
    receipt.acknowledge();
    expect(receipt.isVoid).toBe(true);
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
    expect(said).toEqual(['commit', 'forecasts sent', 'acknowledged 1 2', 'acknowledged 3']);
    expect(committer).toMatchObject({ unacknowledged: 0, commits: 1 });
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
    await vi.advanceTimersByTimeAsync(16);
    expect(said.slice(3, 6)).toEqual(['commit', 'forecasts sent', 'healthy']);
    expect(said.filter((line) => line.startsWith('acknowledged'))).toHaveLength(32);
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
    await vi.advanceTimersByTimeAsync(16);
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
    const acknowledged = () => said.filter((line) => line.startsWith('acknowledged'));
    // the first commit began with the 41st turn
    expect(acknowledged()).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(acknowledged()).toHaveLength(6);
    expect(committer.unacknowledged).toBe(5800);
    const closed = committer.close();
    await vi.advanceTimersByTimeAsync(1);
    expect(acknowledged()).toHaveLength(41);
    commits[1].done();
    await closed;
    expect(acknowledged().map((line) => Number(line.split(' ')[1]))).toEqual(
      Array.from({ length: 64 }, (_, message) => message),
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
    expect(committer.unacknowledged).toBe(2);
    turn(2);
    expect(committer.unacknowledged).toBe(3);
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
