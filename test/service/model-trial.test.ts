import { expect, test } from 'vitest';
import { createLog } from '../../src/service/log.ts';
import type { ModelAnswer } from '../../src/service/model-answers.ts';
import type { ModelRecord } from '../../src/service/model-shelf.ts';
import { createModelTrial } from '../../src/service/model-trial.ts';
import { until } from '../mqtt/until.ts';

const [old, young] = ['ab'.repeat(32), 'cd'.repeat(32)];

/** A trial of a model whose states reach the disk when the test says so. */
function make() {
  const lines: Record<string, unknown>[] = [];
  const said: ModelAnswer[] = [];
  const saves: { done(): void; fail(): void }[] = [];
  const ending = new AbortController();
  let now: ModelRecord = { serving: old, highestRelease: 1 };
  const write = (changes: Partial<ModelRecord>) => {
    now = { ...now, ...changes };
  };
  const trial = createModelTrial({
    service: { engine: { id: old }, models: { promoted: 0, shadow: null } },
    shadowMs: 0,
    record: {
      get now() {
        return now;
      },
      ...{ write, note: write },
    },
    answers: { say: (answer) => said.push(answer), refuse: () => {} },
    enqueue: () => {},
    log: createLog('trial', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } }),
    signal: ending.signal,
  });
  const opened = trial.open({
    ...{ id: young, release: 2 },
    shadow: {
      compare: () => {
        throw new Error('nothing to compare');
      },
      promote() {},
      save: (remember) =>
        new Promise((resolve, reject) =>
          saves.push({
            done() {
              remember();
              resolve();
            },
            fail: () => reject(new Error('disk full')),
          }),
        ),
      close() {},
    },
  });
  return {
    ...{ opened, said, saves, record: () => now, abort: () => ending.abort() },
    troubles: () => lines.filter(({ msg }) => String(msg).includes('is not yet on disk')),
  };
}

test('a promotion that the disk does not take is said to be in trouble, and tried once more at the end', async () => {
  const { opened, said, saves, record, troubles, abort } = make();
  saves[0].fail();
  await until(() => troubles().length > 0);
  expect(troubles()).toMatchObject([{ id: young, reason: 'disk full' }]);
  expect(record().serving).toBe(old);
  expect(said).toEqual([]);
  abort();
  await until(() => saves.length === 2);
  saves[1].done();
  await opened;
  expect(record()).toEqual({ serving: young, previous: old, candidate: undefined, highestRelease: 2 });
  expect(said).toEqual([{ id: young, release: 2, status: 'promoted' }]);
});

test('a promotion that the end of the service cuts short is no trouble', async () => {
  const { opened, said, saves, record, troubles, abort } = make();
  abort();
  saves[0].fail();
  await opened;
  expect(troubles()).toEqual([]);
  expect(record().serving).toBe(old);
  expect(said).toEqual([]);
});
