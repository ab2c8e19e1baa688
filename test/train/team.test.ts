import { describe, expect, test } from 'vitest';
import { createTeam, runAlone, type Tasks } from '../../src/train/team.ts';
import { bundleWorker } from './team-worker.ts';

const counter = await bundleWorker(new URL('counting-worker.ts', import.meta.url));
const absent = new URL('absent.mjs', counter);

function countingTasks(counts: Int32Array): Tasks {
  return {
    shard: (task) => {
      Atomics.add(counts, task, 1);
    },
    group: (task) => {
      throw new Error(`no group ${task}`);
    },
  };
}

describe('a team of threads', () => {
  test.each([1, 2, 3])('does every task of every round once: %i threads', (threads) => {
    const counts = new Int32Array(new SharedArrayBuffer(4 * 64));
    const team = createTeam(threads, counter, countingTasks(counts), { counts });
    const rounds = 2000;
    let expected = 0;
    for (let round = 0; round < rounds; round++) {
      team.run('shard', 1 + (round % 8));
      expected += 1 + (round % 8);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(expected);
    }
    team.close();
    expect(Array.from(counts.subarray(0, 9))).toEqual(
      Array.from({ length: 9 }, (_, task) => (task < 8 ? rounds - (task * rounds) / 8 : 0)),
    );
  });

  test('tells what went wrong on another thread', () => {
    const counts = new Int32Array(new SharedArrayBuffer(4 * 64));
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    // leaves the other thread its turn, however busy this machine is
    const group = () => void Atomics.wait(nothing, 0, 0, 1);
    const team = createTeam(2, counter, { ...countingTasks(counts), group }, { counts });
    const run = () => {
      for (let round = 0; round < 10_000; round++) team.run('group', 8);
    };
    expect(run).toThrow(/a thread of the training failed: .*no group/);
    team.close();
  });

  test('goes on alone when no worker starts', () => {
    const counts = new Int32Array(new SharedArrayBuffer(4 * 64));
    const team = createTeam(2, absent, countingTasks(counts), { counts }, 50);
    team.run('shard', 5);
    team.close();
    expect(counts.subarray(0, 6)).toEqual(Int32Array.of(1, 1, 1, 1, 1, 0));
  });

  test('alone does the tasks in turn', () => {
    const done: number[] = [];
    runAlone({ shard: (task) => done.push(task), group: () => {} })('shard', 4);
    expect(done).toEqual([0, 1, 2, 3]);
  });
});
