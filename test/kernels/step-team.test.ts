import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StepKernel } from '../../src/kernels/kernel.ts';
import { createScalarKernel } from '../../src/kernels/scalar.ts';
import { createStepTeam, type StepTeam, serveSteps } from '../../src/kernels/step-team.ts';
import { createDice, createModel } from '../fixtures/random-model.ts';
import { bundleWorker } from '../train/team-worker.ts';
import { openKernel } from './kernels.ts';

const STREAMS = 2600;

describe('a team of threads', () => {
  const teams: StepTeam[] = [];
  let worker: URL;
  beforeAll(async () => {
    worker = await bundleWorker(new URL('../../src/kernels/step-worker.ts', import.meta.url));
  });
  afterAll(() => {
    for (const team of teams) team.close();
  });

  const createTeam = (threads: number) => {
    const team = createStepTeam(threads, worker);
    teams.push(team);
    return team;
  };

  test.each([2, 3])('of %i leaves the bits of one, batch after batch, large or small', (threads) => {
    const model = createModel({ weights: 'int8', hidden: 13, layers: 2, channels: ['LGA'], phases: 2 });
    const sizes = { slots: STREAMS, batchLimit: STREAMS };
    const team = openKernel(createTeam(threads).createKernel, model, sizes);
    const alone = openKernel(createScalarKernel, model, sizes);
    const dice = createDice(threads);
    for (let round = 0; round < 25; round++) {
      const from = dice.int(0, 100);
      const to = dice.pick([from, from + 999, from + 1000, from + 1063, STREAMS]);
      const numbers = Array.from({ length: 7 }, () => 2 * dice.next() - 1);
      const fill = ({ batch, inputs }: StepKernel) => {
        for (let b = 0; b < STREAMS; b++) {
          batch.slots[b] = (b * 7 + round) % STREAMS;
          batch.phases[b] = (b + round) % 2;
          batch.channels[b] = b % 2;
        }
        for (let i = 0; i < inputs.length; i++) inputs[i] = numbers[i % 7] * ((i % 11) - 5);
      };
      for (const kernel of [team, alone]) {
        fill(kernel);
        kernel.step(from, to);
      }
      expect(Buffer.from(team.outputs.slice().buffer).equals(Buffer.from(alone.outputs.slice().buffer))).toBe(
        true,
      );
    }
    expect(Buffer.from(team.memory().slice().buffer).equals(Buffer.from(alone.memory().slice().buffer))).toBe(
      true,
    );
  });

  test('goes on alone when its threads cannot start', () => {
    const team = createStepTeam(2, new URL('file:///nowhere.mjs'));
    teams.push(team);
    const model = createModel({ weights: 'int8' });
    const kernel = openKernel(team.createKernel, model, { slots: STREAMS, batchLimit: STREAMS });
    for (let b = 0; b < STREAMS; b++) kernel.batch.slots[b] = b;
    kernel.inputs.fill(0.5);
    kernel.step(0, STREAMS);
    const [first, last] = [kernel.outputs[0], kernel.outputs[kernel.outputs.length - 3]];
    expect([first, last]).toEqual([last, first]);
    expect(first).not.toBe(0);
  });

  test('is refused for a model that steps in no SIMD', () => {
    const { createKernel } = createTeam(2);
    expect(() => createKernel(createModel({ cell: 'gru' }), { extra: 0, batchLimit: 1 })).toThrow(
      'no SIMD step',
    );
  });
});

test('a thread takes the open frames from the end, 16 at a time, and counts them', () => {
  const [open, from, done, closed] = [0, 1, 2, 3];
  const control = new Int32Array(new SharedArrayBuffer(16));
  control[open] = 40;
  control[from] = 1000;
  const taken: number[][] = [];
  serveSteps(control, (first, end) => {
    taken.push([first, end]);
    // what closes a team wakes its threads, too
    if (first !== 1000) return;
    control[closed] = 1;
    control[open] = -1;
  });
  expect(taken).toEqual([
    [1024, 1040],
    [1008, 1024],
    [1000, 1008],
  ]);
  expect(control[done]).toBe(40);
});
