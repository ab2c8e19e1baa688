import { describe, expect, test } from 'vitest';
import { findPort } from '../mqtt/ports.ts';
import { readRows, readValue, withoutBrowser } from './browser.ts';
import { inventService, oddNames } from './invented-view.ts';
import { setUpStage, valuesOf } from './stage.ts';

describe.skipIf(withoutBrowser)('the page in every state', () => {
  const stage = setUpStage();

  test('says plainly that the broker is away, and that it is back', async () => {
    const page = await stage.open();
    const notice = page.locator('#broker-notice');
    expect(await notice.isVisible()).toBe(false);
    const { overview } = stage.service;
    stage.service.overview = {
      ...overview,
      broker: { ...overview.broker, state: 'away' },
      superseded: 17,
    };
    await notice.waitFor();
    expect(await notice.textContent()).toContain('The broker 127.0.0.1:1883 has been away since 12:00 UTC.');
    expect(await notice.textContent()).toContain('17 forecasts were superseded');
    expect(await page.locator('#broker-state').textContent()).toBe('away since 12:00 UTC');
    stage.service.overview = { ...overview, broker: { ...overview.broker, reconnects: 1 } };
    await notice.waitFor({ state: 'hidden' });
    expect(await page.locator('#broker-state').textContent()).toBe('connected, 1 reconnect');
  });

  test('says that the service starts, and what it does meanwhile', async () => {
    const { overview } = stage.service;
    stage.service.overview = { ...overview, broker: { ...overview.broker, state: 'starting' } };
    const page = await stage.open();
    const notice = page.locator('#broker-notice');
    await notice.waitFor();
    expect(await notice.textContent()).toContain('The service starts: it goes through what was read before');
    expect(await page.locator('#broker-state').textContent()).toBe('not connected yet');
    stage.service.overview = overview;
    await notice.waitFor({ state: 'hidden' });
    expect(await page.locator('#broker-state').textContent()).toBe('connected');
  });

  test('says that it has lost the service, and comes back by itself', async () => {
    const port = await findPort();
    await stage.start(stage.service, port);
    const page = await stage.open();
    await stage.dashboard.close();
    await page.locator('#server-notice').waitFor();
    expect(await page.locator('#link-state').textContent()).toBe('service lost');
    expect(await page.locator('#detail-stream').textContent()).toBe('EWR');
    stage.service.frame += 3;
    await stage.start(stage.service, port);
    await page.locator('#server-notice').waitFor({ state: 'hidden' });
    await expect.poll(() => readValue(page, '[data-stream="EWR"]', 'time')).toBe(stage.look().rows[0].timeMs);
    // the browser itself reports that nobody answered
    const [{ problems }] = stage.opened;
    expect(problems.filter((problem) => !problem.includes('net::ERR_'))).toEqual([]);
    problems.length = 0;
  });

  test('comes back after a refusal too', async () => {
    const page = await stage.open();
    const { port } = stage.dashboard;
    const healthy = stage.service;
    stage.service = {
      ...stage.service,
      source: () => {
        throw new Error('for a moment');
      },
    };
    await page.locator('#server-notice').waitFor();
    await page.waitForTimeout(2_500);
    stage.service = healthy;
    await page.locator('#server-notice').waitFor({ state: 'hidden' });
    expect(stage.dashboard.port).toBe(port);
    stage.opened[0].problems.length = 0;
  });

  test('shows streams of every health, kept values and missing ones', async () => {
    await stage.start(inventService(['a', 'b', 'c', 'd', 'e']));
    stage.service.rows = {
      a: { health: 'cold', n: 0, mae: null, persistenceMae: null },
      b: { health: 'warming', value: null },
      c: { health: 'stale', mae: 5 },
      d: { health: 'silent' },
      e: { health: 'cold', retained: true, forecast: [], n: 0, mae: null, persistenceMae: null },
    };
    const page = await stage.open();
    const { rows } = stage.look();
    expect(await readRows(page)).toEqual(Object.fromEntries(rows.map((row) => [row.stream, valuesOf(row)])));
    expect(await page.locator('#streams-body .health').allTextContents()).toEqual([
      'cold',
      'warming',
      'stale',
      'silent',
      'cold',
    ]);
    const shapes = await page
      .locator('#streams-body .health svg')
      .evaluateAll((all) => all.map((svg) => svg.innerHTML));
    expect(new Set(shapes).size).toBe(4);
    expect(await page.locator('.kept:visible').count()).toBe(1);
    expect(await page.locator('tr[data-stream="c"] [data-field="gain"]').textContent()).toMatch(
      /^25\s% worse$/,
    );
    expect(await page.locator('tr[data-stream="a"] [data-field="mae"]').textContent()).toBe('–');
  });

  test('shows what the broker had kept of a stream, and its chart as soon as it speaks', async () => {
    stage.service.rows = { EWR: { retained: true, forecast: [] } };
    stage.service.details = { EWR: { history: [], fan: [] } };
    const page = await stage.open();
    expect(await page.locator('#chart-empty').isVisible()).toBe(true);
    expect(await page.locator('#chart').isVisible()).toBe(false);
    expect(await readValue(page, '#detail', 'value')).toBe(stage.look().rows[0].value);
    expect(await page.locator('#announcement').textContent()).toBe(
      'EWR, temp: no live reading yet. No forecast yet.',
    );
    stage.service.rows = {};
    stage.service.details = {};
    await page.locator('#chart canvas').waitFor();
    await expect
      .poll(() => page.locator('#chart canvas').evaluate((canvas) => canvas.clientWidth))
      .toBeGreaterThan(800);
  });

  test('waits for a first stream, and shows it when it comes', async () => {
    await stage.start(inventService([]));
    stage.service.overview = {
      ...stage.service.overview,
      stepUs: { p50: null, p99: null },
      latencyMs: { p50: null, p99: null },
      error: { n: 0, mae: null, persistenceMae: null },
      replay: null,
    };
    const page = await stage.open();
    expect(await page.locator('#detail-empty').textContent()).toBe(
      'Waiting for the first reading from 127.0.0.1:1883.',
    );
    expect(await page.locator('#streams-empty').isVisible()).toBe(true);
    expect(await page.locator('#replay').isVisible()).toBe(false);
    stage.service.streams = ['new'];
    await page.locator('#detail[data-stream="new"]').waitFor();
    // it takes its size a frame later
    await expect
      .poll(() => page.locator('#chart canvas').evaluate((canvas) => canvas.clientWidth))
      .toBeGreaterThan(800);
  });

  test('says so when the stream of its address does not exist', async () => {
    const page = await stage.open('?stream=nobody&filter=none');
    expect(await page.locator('#detail-empty').textContent()).toBe(
      'No stream is called “nobody”, or it has said nothing yet.',
    );
    expect(await page.locator('#streams-empty').textContent()).toBe('No stream has “none” in its name.');
  });

  test('shows the first hundred of two thousand streams, and finds the others', async () => {
    await stage.start(
      inventService(Array.from({ length: 2_000 }, (_, index) => `sensor-${String(index).padStart(4, '0')}`)),
    );
    const page = await stage.open();
    expect(await page.locator('#streams-shown').textContent()).toBe('showing 100 of 2,000');
    expect(await page.locator('#streams-body > tr').count()).toBe(100);
    await page.getByRole('searchbox').fill('SENSOR-1234');
    await page.getByRole('button', { name: 'sensor-1234' }).click();
    await page.locator('#detail[data-stream="sensor-1234"]').waitFor();
    // the row goes, the stream of the chart stays
    await page.getByRole('searchbox').fill('sensor-0001');
    await page.getByRole('button', { name: 'sensor-0001' }).waitFor();
    expect(await page.locator('#detail-stream').textContent()).toBe('sensor-1234');
  });

  test('shows names as what they are, and runs nothing of them', async () => {
    await stage.start(inventService(oddNames));
    const page = await stage.open('', { width: 390 });
    expect(Object.keys(await readRows(page))).toEqual(oddNames);
    expect(await page.locator('.stream-name').allTextContents()).toEqual(oddNames);
    for (const name of oddNames) {
      await page.locator('.stream-name').nth(oddNames.indexOf(name)).click();
      await expect.poll(() => page.locator('#detail-stream').textContent()).toBe(name);
    }
    expect(await page.locator('#streams img, #streams script').count()).toBe(0);
  });
});
