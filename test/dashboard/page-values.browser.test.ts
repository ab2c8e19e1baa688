import { describe, expect, test } from 'vitest';
import { pictureOf, readRows, readValue, withoutBrowser } from './browser.ts';
import { setUpStage, valuesOf } from './stage.ts';

describe.skipIf(withoutBrowser)('the page shows', () => {
  const stage = setUpStage();

  test('shows the values of the view', async () => {
    const page = await stage.open();
    const { rows, overview } = stage.look();
    expect(await readRows(page)).toEqual(Object.fromEntries(rows.map((row) => [row.stream, valuesOf(row)])));
    const overall = {
      streams: 3,
      'messages-per-second': overview.messagesPerSecond,
      forecasts: overview.forecasts,
      'step-p50': overview.stepUs.p50,
      'step-p99': overview.stepUs.p99,
      'latency-p50': overview.latencyMs.p50,
      'latency-p99': overview.latencyMs.p99,
      mae: overview.error.mae,
      'persistence-mae': overview.error.persistenceMae,
      replay: overview.replay?.done,
    };
    for (const [field, value] of Object.entries(overall))
      expect([field, await readValue(page, '.overview', field)]).toEqual([field, value]);
    await page.locator('summary').click();
    expect(await page.locator('[data-field="reading"][data-key="late"]').textContent()).toBe('1');
    expect(await page.locator('[data-field="malformed"][data-key="not JSON"]').textContent()).toBe('2');
    expect(await page.locator('#model').textContent()).toBe('nyc-weather 1.0.0 · lstm 32, int8 · 3fa9c2d1');
    expect(await page.locator('#error-gain').textContent()).toMatch(/^31\s% better than persistence$/);
    expect(
      await page.locator('#horizon-errors [data-steps="6"] [data-field="mae"]').getAttribute('data-value'),
    ).toBe('2');
  });

  test('shows how a new model does in the shadow, while there is one', async () => {
    const page = await stage.open();
    const line = page.locator('#shadow');
    expect(await line.isVisible()).toBe(false);
    const shadow = { id: 'abc123de55aa', n: 1_234, mae: 0.42, servingMae: 0.45 };
    stage.service.overview = { ...stage.service.overview, shadow };
    await expect
      .poll(() => line.textContent())
      .toBe('shadow abc123de: error 0.420, serving 0.450, 1,234 forecasts');
    expect(await line.isVisible()).toBe(true);
    stage.service.overview = { ...stage.service.overview, shadow: { ...shadow, n: 0, mae: null } };
    await expect.poll(() => line.textContent()).toContain('error –, serving');
    stage.service.overview = { ...stage.service.overview, shadow: null };
    await expect.poll(() => line.isVisible()).toBe(false);
  });

  test('follows the service into one chart that stays', async () => {
    const page = await stage.open();
    await page.evaluate(() => document.querySelector('#chart canvas')?.setAttribute('data-mark', 'first'));
    const before = await pictureOf(page);
    stage.service.frame += 7;
    await expect.poll(() => readValue(page, '[data-stream="JFK"]', 'time')).toBe(stage.look().rows[1].timeMs);
    expect(await readRows(page)).toMatchObject({ JFK: valuesOf(stage.look().rows[1]) });
    await expect.poll(() => pictureOf(page)).not.toBe(before);
    expect(await page.locator('#chart canvas[data-mark="first"]').count()).toBe(1);
    expect(await page.locator('.uplot').count()).toBe(1);
  });

  test('shows the stream that was chosen, and its address shows it again', async () => {
    const page = await stage.open();
    await page.locator('tr[data-stream="LGA"] .cell-value').click();
    await page.locator('#detail[data-stream="LGA"]').waitFor();
    await page.getByRole('radio', { name: '24 h' }).check({ force: true });
    await page.getByRole('searchbox').fill('lga');
    await expect.poll(() => page.locator('#streams-body > tr').count()).toBe(1);
    expect(new URL(page.url()).search).toBe('?stream=LGA&filter=lga&horizon=24');
    const again = await stage.open(new URL(page.url()).search);
    expect(await again.locator('#detail-stream').textContent()).toBe('LGA');
    expect(await again.getByRole('searchbox').inputValue()).toBe('lga');
    expect(await again.getByRole('radio', { name: '24 h' }).isChecked()).toBe(true);
    expect(await again.locator('.legend-earlier').textContent()).toContain('forecast 24\u00a0h earlier');
    expect(await again.locator('#streams-shown').textContent()).toBe('1 of 3');
  });

  test('shows under the mouse what the lines say there', async () => {
    const page = await stage.open();
    const box = await page.locator('#chart .u-over').boundingBox();
    if (!box) throw new Error('the chart has no size');
    await page.mouse.move(box.x + box.width - 1, box.y + 20);
    const last = stage.look().detail?.fan.at(-1);
    await expect.poll(() => readValue(page, '#legend', 'legend-ahead')).toBe(last?.value);
    expect(await readValue(page, '#legend', 'legend-time')).toBe(last?.timeMs);
    await page.mouse.move(box.x + 1, box.y + 20);
    const shown = stage.look().detail?.history.at(-96);
    await expect.poll(() => readValue(page, '#legend', 'legend-measured')).toBe(shown?.value);
    expect(await readValue(page, '#legend', 'legend-earlier')).toBe(shown?.forecast[1]);
  });

  test('lets the target be chosen where there are several', async () => {
    const page = await stage.open();
    expect(await page.locator('#target-choice').isVisible()).toBe(false);
    stage.service.overview = {
      ...stage.service.overview,
      model: { ...stage.service.overview.model, targets: ['temp', 'dewp', 'pressure'] },
    };
    await page.locator('#target-choice').waitFor();
    await page.getByRole('combobox', { name: 'Target' }).selectOption('dewp');
    await expect.poll(() => page.locator('#detail-target').textContent()).toBe('dewp');
    const [first] = stage.service.source({ stream: '', filter: '', target: 1 }).rows;
    expect(await readValue(page, 'tr[data-stream="EWR"]', 'value')).toBe(first.value);
    expect(new URL(page.url()).search).toBe('?target=1');
  });
});
