import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Complaint, createComplaints } from '../../src/service/complaints.ts';
import { createLog } from '../../src/service/log.ts';
import { createRate } from '../../src/service/rate.ts';
import { openStateFolder, readSession, writeRecord } from '../../src/service/session-file.ts';

function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  return { lines, log: createLog('plant', { destination }) };
}

describe('the log', () => {
  test('is a JSON line an event, with its level and time in words', () => {
    const { lines, log } = collectLog();
    log.warn({ topic: 'a' }, 'set aside');
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        name: 'plant',
        topic: 'a',
        msg: 'set aside',
      },
    ]);
  });
});

describe('complaints', () => {
  test('name a topic and what was found, once a minute and reason, with the count in between', () => {
    const said: Complaint[] = [];
    let nowMs = 0;
    const complaints = createComplaints(
      (complaint) => said.push(complaint),
      () => nowMs,
    );
    const payload = new TextEncoder().encode(`{"temp":${'1'.repeat(200)}}`);
    for (let i = 0; i < 1000; i++) complaints.note('not JSON', `plant/${i}`, payload);
    complaints.note('bad time', 'plant/x', Uint8Array.of(0xff));
    nowMs = 60_000;
    complaints.note('not JSON', 'plant/late', payload);
    expect(said.map(({ reason, topic, since }) => [reason, topic, since])).toEqual([
      ['not JSON', 'plant/0', 0],
      ['bad time', 'plant/x', 0],
      ['not JSON', 'plant/late', 999],
    ]);
    expect(said[0].found.length).toBe(80);
  });
});

describe('a rate', () => {
  test('looks back over the last seconds', () => {
    let nowMs = 0;
    const rate = createRate(() => nowMs);
    expect(rate.perSecond()).toBe(0);
    for (; nowMs < 10_000; nowMs += 10) rate.add(2);
    expect(rate.perSecond()).toBeCloseTo(200, -1);
    nowMs += 1_500;
    expect(rate.perSecond()).toBeLessThan(150);
    nowMs += 60_000;
    expect(rate.perSecond()).toBe(0);
  });
});

describe('the record of a session', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-session-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const record = { clientId: 'cellstream-plant', filters: ['a/+', 'b/+'] };

  test('names the filters that nobody wants any more, of the same client', () => {
    const state = join(folder, 'state');
    const unknown = { isKnown: false, goneFilters: [] };
    expect(readSession(state, record)).toEqual(unknown);
    openStateFolder(state);
    openStateFolder(state);
    writeRecord(state, record);
    expect(readSession(state, record)).toEqual({ isKnown: true, goneFilters: [] });
    expect(readSession(state, { ...record, filters: ['b/+', 'c/+'] }).goneFilters).toEqual(['a/+']);
    expect(readSession(state, { clientId: 'other', filters: [] })).toEqual(unknown);
    expect(JSON.parse(readFileSync(join(state, 'session-cellstream-plant.json'), 'utf8'))).toEqual(record);
  });

  test('that somebody edited counts as none', () => {
    writeFileSync(join(folder, 'session-cellstream-plant.json'), '{"filters":');
    expect(readSession(folder, record).isKnown).toBe(false);
  });
});
