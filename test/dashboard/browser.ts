import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';
const isRequired = process.env.CELLSTREAM_REQUIRE_SYSTEM === '1';

/** True where there is no Chromium and nobody insists on one. */
export const withoutBrowser = !existsSync(executablePath) && !isRequired;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface OpenedPage {
  readonly page: Page;
  /** Messages and errors of the console, errors of scripts: a good page has none. */
  readonly problems: string[];
  /** Where requests went, besides the page's own server. */
  readonly strangers: string[];
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly forcedColors?: 'active';
}

/** Opens the page and waits until it shows a first view. */
export async function openPage(
  browser: Browser,
  url: string,
  options: PageOptions = {},
): Promise<OpenedPage> {
  const { width = 1_440, height = 900, colorScheme = 'light', forcedColors } = options;
  const media = forcedColors ? { forcedColors } : {};
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, ...media });
  const problems: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(String(error.stack)));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  const { origin } = new URL(url);
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) strangers.push(request.url());
  });
  await page.goto(url);
  await page.locator('html[data-link="live"]').waitFor();
  await page.locator('#streams-shown[data-value]').waitFor({ state: 'attached' });
  return { page, problems, strangers };
}

/** Field -> the number behind it, of one stream's row; forecasts are `forecast 6`, intervals `low 6` and `high 6`. */
export type RowValues = Readonly<Record<string, number | string | null>>;

/** All rows at one moment, as the page shows them. */
export function readRows(page: Page): Promise<Record<string, RowValues>> {
  return page.evaluate(() => {
    const parse = (text: string | undefined) => {
      if (text === undefined || text === 'null') return null;
      return Number.isNaN(Number(text)) ? text : Number(text);
    };
    const rows: Record<string, Record<string, number | string | null>> = {};
    for (const row of document.querySelectorAll<HTMLElement>('#streams-body > [data-stream]')) {
      const values: Record<string, number | string | null> = {};
      for (const { dataset } of row.querySelectorAll<HTMLElement>('[data-field]')) {
        const { field = '', steps, value, low, high } = dataset;
        if (field === 'interval') {
          values[`low ${steps}`] = parse(low);
          values[`high ${steps}`] = parse(high);
        } else values[steps ? `${field} ${steps}` : field] = parse(value);
      }
      rows[row.dataset.stream ?? ''] = values;
    }
    return rows;
  });
}

/** The number behind a field inside of `scope`, a CSS selector such as `.overview`. */
export async function readValue(page: Page, scope: string, field: string): Promise<number | null> {
  const text = await page.locator(`${scope} [data-field="${field}"]`).first().getAttribute('data-value');
  return text === null || text === 'null' ? null : Number(text);
}

/** How far the page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** What the canvas of the chart looks like, to be compared. */
export function pictureOf(page: Page): Promise<string> {
  return page.evaluate(() => document.querySelector<HTMLCanvasElement>('#chart canvas')?.toDataURL() ?? '');
}
