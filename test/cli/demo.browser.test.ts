import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLink, type Link } from '../../src/mqtt/link.ts';
import type { ForecastMessage } from '../../src/stream/encode.ts';
import {
  launchBrowser,
  openPage,
  overflowOf,
  type RowValues,
  readRows,
  withoutBrowser,
} from '../dashboard/browser.ts';
import { until } from '../mqtt/until.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe.skipIf(withoutBrowser)('the page of the demo', () => {
  let demo: ChildProcess;
  let stderr = '';
  let link: Link;
  let browser: Browser;
  let url: string;
  const published = new Map<string, ForecastMessage>();
  const measured = new Map<string, number | null>();

  beforeAll(async () => {
    demo = spawn(process.execPath, [main, 'demo', '--seconds', '120'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    demo.stderr?.on('data', (text) => {
      stderr += text;
    });
    const address = /page (http:\S+) broker (mqtt:\S+)/;
    await until(() => address.test(stderr));
    const [, page, broker] = address.exec(stderr) as RegExpExecArray;
    url = page;
    const filters = ['cellstream/+/forecast', 'sensors/+/weather'].map(
      (topic) => ({ topic, qos: 0 }) as const,
    );
    link = createLink({ url: broker, filters });
    link.onMessage(({ topic, payload }) => {
      const message = JSON.parse(Buffer.from(payload).toString());
      const [, stream] = topic.split('/');
      const key = `${stream} ${Date.parse(message.time)}`;
      if (topic.endsWith('forecast')) published.set(key, message);
      else measured.set(key, message.temp);
    });
    await link.open();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await link.close();
    demo.kill('SIGTERM');
  });

  function expectPublished(stream: string, row: RowValues): void {
    const key = `${stream} ${row.time}`;
    expect(row.value).toBe(measured.get(key));
    for (const { steps, value, low, high } of published.get(key)?.horizons ?? []) {
      expect(row[`forecast ${steps}`]).toBe(value);
      expect(row[`low ${steps}`]).toBe(low);
      expect(row[`high ${steps}`]).toBe(high);
    }
  }

  test('shows what was measured and published, to the digit, while it changes', async () => {
    const { page, problems, strangers } = await openPage(browser, url);
    const seen = new Set<unknown>();
    const deadline = performance.now() + 30_000;
    while (seen.size < 12 && performance.now() < deadline) {
      const rows = await readRows(page);
      expect(Object.keys(rows)).toEqual(['EWR', 'JFK', 'LGA']);
      for (const [stream, row] of Object.entries(rows)) {
        await until(() => published.has(`${stream} ${row.time}`) && measured.has(`${stream} ${row.time}`));
        expectPublished(stream, row);
        seen.add(`${stream} ${row.time}`);
      }
    }
    expect(seen.size).toBeGreaterThanOrEqual(12);
    expect({ problems, strangers }).toEqual({ problems: [], strangers: [] });
    await page.close();
  });

  test.each(['light', 'dark'] as const)('fits a phone, %s', async (colorScheme) => {
    const { page, problems } = await openPage(browser, url, { width: 390, height: 844, colorScheme });
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await page.close();
  });
});
