import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createProgress, formatCount, formatSeconds } from '../../src/cli/progress.ts';

function openStream(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => text };
}

describe('progress without a terminal', () => {
  test('is a line about every tenth, with speed and time left', () => {
    const { stream, text } = openStream(false);
    let nowMs = 0;
    const options = { label: 'training', total: 1000, unit: 'timesteps', stream, now: () => nowMs };
    const progress = createProgress(options);
    for (let done = 5; done <= 1000; done += 5) {
      nowMs += 100;
      progress.update(done, `epoch ${Math.ceil(done / 100)}/10 · loss ${(1 / done).toFixed(3)}`);
    }
    progress.stop();
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('training  10 % · epoch 1/10 · loss 0.010 · 50 timesteps/s · 18 s left');
    expect(lines[9]).toBe('training 100 % · epoch 10/10 · loss 0.001 · 50 timesteps/s · 20 s');
  });

  test('leaves the last word of work that ends early', () => {
    const { stream, text } = openStream(false);
    const progress = createProgress({ label: 'training', total: 100, stream, now: () => 0 });
    progress.update(10, 'loss 3');
    progress.update(14, 'loss 2');
    progress.stop();
    progress.stop();
    expect(text()).toBe('training  10 % · loss 3\ntraining  14 % · loss 2\n');
  });

  test('that goes on from a checkpoint counts only its own work as speed', () => {
    const { stream, text } = openStream(false);
    let nowMs = 0;
    const progress = createProgress({
      label: 'training',
      total: 100,
      start: 50,
      stream,
      unit: 'steps',
      now: () => nowMs,
    });
    nowMs = 2000;
    progress.update(55);
    progress.update(60);
    expect(text()).toBe('training  60 % · 5.0 steps/s · 8 s left\n');
  });

  test('is silent when it is asked to be', () => {
    const { stream, text } = openStream(false);
    const progress = createProgress({ label: 'training', total: 2, quiet: true, stream });
    progress.update(2);
    progress.stop();
    expect(text()).toBe('');
  });
});

test('progress on a terminal is a bar that ends with its last word', () => {
  const { stream, text } = openStream(true);
  let nowMs = 0;
  const progress = createProgress({
    label: 'training',
    total: 200,
    unit: 'timesteps',
    stream,
    now: () => nowMs,
  });
  nowMs = 4000;
  progress.update(100, 'epoch 1/2 · loss 0.5');
  progress.stop();
  expect(text()).toContain(`training ${'█'.repeat(12)}${'░'.repeat(12)} 50 % · epoch 1/2 · loss 0.5`);
  expect(text()).toContain('25 timesteps/s · 4 s left');
});

test.each([
  [0.4, '0 s'],
  [119, '119 s'],
  [121, '2 min'],
  [3600, '60 min'],
  [12_000, '3 h 20 min'],
])('%f seconds read as %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test.each([
  [0, '0.0'],
  [7.25, '7.3'],
  [812, '812'],
  [9_412, '9.41 k'],
  [999_400, '999 k'],
  [1_290_000, '1.29 M'],
])('the count %f reads as %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});
