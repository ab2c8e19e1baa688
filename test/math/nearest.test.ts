import { describe, expect, test } from 'vitest';
import { nearestName } from '../../src/math/nearest.ts';

describe('nearestName', () => {
  const names = ['temp', 'dewp', 'pressure', 'time_hour'];

  test.each([
    ['ltsm', 'lstm', 'two letters swapped'],
    ['temmp', 'temp', 'one too many'],
    ['tmp', 'temp', 'one too few'],
    ['tamp', 'temp', 'one wrong'],
  ])('takes %j for %j: %s', (word, name) => {
    expect(nearestName(word, ['gru', name, 'rnn'])).toBe(name);
  });

  test('finds the name behind a slip of the fingers', () => {
    expect(nearestName('tmep', names)).toBe('temp');
    expect(nearestName('presure', names)).toBe('pressure');
    expect(nearestName('timehour', names)).toBe('time_hour');
  });

  test('looks past upper and lower case, and gives the name as it is written', () => {
    expect(nearestName('TEMP', names)).toBe('temp');
    expect(nearestName('ot', ['HUFL', 'OT'])).toBe('OT');
  });

  test('offers nothing when nothing is close', () => {
    expect(nearestName('humidity', names)).toBeUndefined();
    expect(nearestName('x', ['y', 'z'])).toBeUndefined();
    expect(nearestName('temp', [])).toBeUndefined();
    expect(nearestName('', ['a'])).toBeUndefined();
  });

  test('takes the nearest of several, and the first of equals', () => {
    expect(nearestName('tem', ['teem', 'temp', 'term'])).toBe('teem');
    expect(nearestName('temp1', ['temp12', 'temp1'])).toBe('temp1');
  });
});
