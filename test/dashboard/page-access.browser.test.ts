import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { overflowOf, pictureOf, readValue, withoutBrowser } from './browser.ts';
import { faintTexts } from './contrast.ts';
import { inventService, oddNames } from './invented-view.ts';
import { setUpStage } from './stage.ts';

describe.skipIf(withoutBrowser)('the page for everybody', () => {
  const stage = setUpStage();

  test('can be walked with the keyboard alone', async () => {
    const page = await stage.open();
    const focused = () =>
      page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);
    const tab = async () => {
      await page.keyboard.press('Tab');
      return focused();
    };
    expect(await tab()).toBe('Skip to the streams');
    expect(await tab()).toBe('readings-summary');
    await tab();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: '24 h' }).isChecked()).toBe(true);
    expect(await tab()).toBe('chart');
    await page.keyboard.press('End');
    expect(await page.locator('#chart').getAttribute('aria-valuetext')).toMatch(/^Oct 23, 08:00, forecast /);
    expect(await readValue(page, '#legend', 'legend-ahead')).toBe(stage.look().detail?.fan.at(-1)?.value);
    await page.keyboard.press('Escape');
    expect(await tab()).toBe('filter');
    expect(await tab()).toBe('EWR');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('JFK');
    await page.keyboard.press('Enter');
    await page.locator('#detail[data-stream="JFK"]').waitFor();
    expect(await page.locator('[aria-current="true"]').textContent()).toBe('JFK');
    stage.service.frame++;
    await expect.poll(() => readValue(page, '[data-stream="JFK"]', 'time')).toBe(stage.look().rows[1].timeMs);
    expect(await focused()).toBe('JFK');
  });

  test('tells a screen reader about a stream once, and not with every reading', async () => {
    const page = await stage.open();
    const said = page.locator('#announcement');
    expect(await said.textContent()).toMatch(
      /^EWR, temp: [\d.]+ at .* UTC\. Forecast for 6\sh ahead: [\d.]+, with 80 % probability [\d.]+ to [\d.]+\.$/,
    );
    const first = await said.textContent();
    for (let count = 0; count < 4; count++) {
      stage.service.frame++;
      await expect
        .poll(() => readValue(page, '[data-stream="EWR"]', 'time'))
        .toBe(stage.look().rows[0].timeMs);
    }
    expect(await said.textContent()).toBe(first);
    await page.getByRole('button', { name: 'LGA' }).click();
    await expect.poll(() => said.textContent()).toMatch(/^LGA/);
  });

  test('has landmarks, headings and a table that names its cells', async () => {
    for (const width of [1_440, 390]) {
      const page = await stage.open('', { width });
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      for (const role of ['banner', 'main', 'contentinfo', 'table'] as const)
        expect(await page.getByRole(role).count()).toBe(1);
      const columns = await page.getByRole('columnheader').allTextContents();
      expect(columns).toEqual([
        'Stream',
        'Newest, UTC',
        'Value',
        '+1\u00a0h',
        '+6\u00a0h',
        '+24\u00a0h',
        'Error',
        'Persistence',
        'Gain',
        'Health',
      ]);
      expect(await page.getByRole('rowheader').allTextContents()).toEqual(['EWR', 'JFK', 'LGA']);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      expect(await page.getByRole('slider', { name: 'Time on the chart' }).count()).toBe(1);
    }
  });

  test.each([320, 390, 768, 1_024, 1_440, 2_560])('fits a window of %d pixels', async (width) => {
    await stage.start(inventService([...oddNames, 'JFK']));
    stage.service.overview = {
      ...stage.service.overview,
      name: 'a service with a rather long name',
      broker: {
        ...stage.service.overview.broker,
        state: 'away',
        address: `${'long'.repeat(30)}host.example:8883`,
      },
    };
    const page = await stage.open('', { width });
    await page.locator('summary').click();
    expect(await overflowOf(page)).toBe(0);
    for (const name of oddNames) {
      await page.locator('.stream-name').nth(oddNames.indexOf(name)).click();
      await expect.poll(() => page.locator('#detail-stream').textContent()).toBe(name);
      expect(await overflowOf(page)).toBe(0);
    }
    await page.setViewportSize({ width: width + 60, height: 700 });
    await expect.poll(() => chartSpill(page)).toBe(0);
  });

  test('follows the theme of the system while it is open, and can be read in both', async () => {
    const page = await stage.open();
    stage.service.rows = { JFK: { health: 'stale' }, LGA: { mae: 5 } };
    stage.service.overview = {
      ...stage.service.overview,
      broker: { ...stage.service.overview.broker, state: 'away' },
    };
    await page.locator('#broker-notice').waitFor();
    const light = await pictureOf(page);
    expect(await faintTexts(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => pictureOf(page)).not.toBe(light);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
      'rgb(12, 16, 18)',
    );
    expect(await faintTexts(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => pictureOf(page)).toBe(light);
  });

  test('draws in forced colors too', async () => {
    const page = await stage.open('', { forcedColors: 'active' });
    const blank = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('#chart canvas');
      const empty = document.createElement('canvas');
      empty.width = canvas?.width ?? 0;
      empty.height = canvas?.height ?? 0;
      return empty.toDataURL();
    });
    expect(await pictureOf(page)).not.toBe(blank);
  });
});

/** By how much the chart's canvas misses its place. */
function chartSpill(page: Page): Promise<number> {
  return page.evaluate(() => {
    const chart = document.querySelector('#chart');
    const plot = chart?.querySelector('.u-wrap');
    return (chart?.clientWidth ?? 0) - (plot?.clientWidth ?? 0);
  });
}
