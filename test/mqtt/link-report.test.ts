import { beforeEach, expect, test } from 'vitest';
import type { Ending } from '../../src/mqtt/ending.ts';
import { createReport, type LinkEvent } from '../../src/mqtt/link-report.ts';
import { until } from './until.ts';

const arrival = { protocol: '5', sessionPresent: true } as const;
const lost: Ending = { kind: 'lost', reason: 'the broker closed the connection' };
const takenOver: Ending = { kind: 'taken over', reason: 'taken' };

const stableMs = 100;

let events: LinkEvent[];
let report: ReturnType<typeof createReport>;

beforeEach(() => {
  events = [];
  const onEvent = (event: LinkEvent) => events.push(event);
  report = createReport({ address: 'broker:1883', clientId: 'mine', stableMs, onEvent });
});

const kinds = () => events.map(({ kind }) => kind);

test('says when it is connected, away and back, and how long it was away', () => {
  report.up(arrival);
  report.down(lost, 5000);
  report.down(lost, undefined);
  report.up({ ...arrival, sessionPresent: false });
  expect(events.map(({ message }) => message.replace(/\d+ ms/, 'N ms'))).toEqual([
    'connected to the broker at broker:1883 with MQTT 5, session resumed',
    'no connection to the broker at broker:1883: the broker closed the connection',
    'connected to the broker at broker:1883 with MQTT 5, new session, after N ms',
  ]);
});

test('a first connection is no return, however long it took', () => {
  report.down(lost, undefined);
  report.up(arrival);
  expect(kinds()).toEqual(['away', 'connected']);
});

test('a session that another client takes is said once, and `back` when a connection lasts', async () => {
  report.up(arrival);
  for (let i = 0; i < 10; i++) {
    report.down(takenOver, 10);
    report.up(arrival);
  }
  expect(kinds()).toEqual(['connected', 'away']);
  expect(events[1]?.message).toMatch(/: taken: give each client an id of its own, this one has "mine"$/);
  await until(() => events.length > 2);
  expect(kinds()).toEqual(['connected', 'away', 'back']);
});

test('connections that end at once, again and again, are suspicious; a broker that is away is not', () => {
  report.up(arrival);
  for (let i = 0; i < 5; i++) {
    report.down(lost, 10);
    report.up(arrival);
  }
  report.down({ kind: 'lost', reason: 'ECONNREFUSED' }, undefined);
  const suspicious = events.filter(({ message }) => message.includes('perhaps another client'));
  expect(suspicious).toHaveLength(1);
  expect(events.at(-1)?.message).toBe('no connection to the broker at broker:1883: ECONNREFUSED');
});

test('what needs somebody to act is said as a refusal', () => {
  report.up(arrival);
  report.down({ kind: 'refused', reason: 'not authorized' }, undefined);
  expect(events.at(-1)).toEqual({
    kind: 'refused',
    reason: 'not authorized',
    message: 'the broker at broker:1883: not authorized; trying again',
  });
});

test('says nothing after it is closed', () => {
  report.up(arrival);
  report.close();
  report.down(lost, 5000);
  expect(kinds()).toEqual(['connected']);
});
