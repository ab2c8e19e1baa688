import { expect, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../../src/service/log.ts';
import type { ModelAnswer } from '../../src/service/model-answers.ts';
import type { ModelRecord } from '../../src/service/model-shelf.ts';
import { createModelTrial } from '../../src/service/model-trial.ts';
import { until } from '../mqtt/until.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';

const [old, young] = ['ab'.repeat(32), 'cd'.repeat(32)];

interface Trial {
  /** 0: it serves at once. */
  readonly shadowMs?: number;
  /** What a comparison finds: how many pairs at the horizon with the fewest. */
  readonly looks?: readonly number[];
}

/** Time that passes when the test says so: no stall comes between two looks. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** A trial of a model whose states reach the disk when the test says so. Its frames take a millisecond. */
function make({ shadowMs = 0, looks = [] }: Trial = {}) {
  const lines: Record<string, unknown>[] = [];
  const said: ModelAnswer[] = [];
  const refused: string[] = [];
  const saves: { done(): void; fail(): void }[] = [];
  const ending = new AbortController();
  const { model } = createTinyEngine();
  let now: ModelRecord = { serving: old, highestRelease: 1 };
  let looked = 0;
  const write = (changes: Partial<ModelRecord>) => {
    now = { ...now, ...changes };
  };
  const trial = createModelTrial({
    service: {
      engine: { id: old, model: { ...model, input: { ...model.input, periodMs: 1 } } },
      models: { promoted: 0, shadow: null },
    },
    shadowMs,
    record: {
      get now() {
        return now;
      },
      ...{ write, note: write },
    },
    answers: { say: (answer) => said.push(answer), refuse: (_, reason) => refused.push(reason) },
    enqueue: (work) => void work(),
    log: createLog('trial', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } }),
    signal: ending.signal,
  });
  onTestFinished(trial.stop);
  const opened = trial.open({
    ...{ id: young, release: 2 },
    shadow: {
      compare: () => ({
        ...{ pairs: 100, ratio: 1, shadowMae: 1, servingMae: 1 },
        fewest: { pairs: looks[Math.min(looked++, looks.length - 1)], target: 'temp', steps: 3 },
      }),
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
    ...{ opened, said, refused, saves, record: () => now, abort: () => ending.abort() },
    messages: () => lines.map(({ msg }) => String(msg)),
    troubles: () => lines.filter(({ msg }) => String(msg).includes('is not yet on disk')),
  };
}

test('a shadow goes on while too few forecasts of some horizon have met their readings, says once what it waits for, and is refused in the end', async () => {
  holdTime();
  const { messages, saves, refused } = make({ shadowMs: 20, looks: [29] });
  expect(messages()).toEqual([
    'a new model runs in the shadow for 20ms, and until 30 forecasts 3 steps ahead have met their readings (33ms with one stream), for 86ms at most',
  ]);
  await vi.advanceTimersByTimeAsync(20);
  expect(messages()[1]).toMatch(
    /^the shadow goes on until .* at most: 29 of 30 forecasts of temp 3 steps ahead have met their readings$/,
  );
  await vi.advanceTimersByTimeAsync(65);
  expect(refused).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect({ refused, saves, lines: messages().length }).toEqual({
    refused: [
      'only 29 of 30 forecasts of temp 3 steps ahead have met their readings, too few to judge by: send it anew, or use SIGHUP',
    ],
    saves: [],
    lines: 2,
  });
});

test('a shadow is judged as soon as enough forecasts of every horizon have met their readings', async () => {
  holdTime();
  const { messages, saves } = make({ shadowMs: 10, looks: [0, 30] });
  await vi.advanceTimersByTimeAsync(75);
  expect(saves).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(saves).toHaveLength(1);
  expect(messages().slice(1)).toEqual([
    expect.stringContaining('the shadow goes on'),
    expect.stringContaining('promoted: its live error is 1.000 times that of the old model'),
    'a new model serves',
  ]);
});

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
