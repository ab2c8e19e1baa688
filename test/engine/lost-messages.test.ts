import { expect, test } from 'vitest';
import { createRandom } from '../fixtures/series.ts';
import { hoursOf, listen, shipped } from './airport.ts';

const AIRPORT = 1;
const WARM_UP = 14 * 24;

const messages = hoursOf(AIRPORT);
const random = createRandom(1);
// the first hour stays: the clock of the count starts there
const kept = messages.filter((_, i) => i === 0 || random() >= 0.05);
const options = { airport: AIRPORT, stream: 'JFK', scoredFrom: WARM_UP };

test('a stream that loses 5 % of its messages forecasts as well in those that arrive', () => {
  const whole = listen(shipped, messages, options).mae;
  expect(kept.length / messages.length).toBeCloseTo(0.95, 2);
  const lossy = listen(shipped, kept, options).mae;
  expect(lossy / whole).toBeLessThan(1.02);
  // what it would be if the phase followed the count of messages and not the time slot
  const counted = kept.map(({ row }, i) => ({ slot: kept[0].slot + i, row }));
  expect(listen(shipped, counted, options).mae / whole).toBeGreaterThan(1.2);
});
