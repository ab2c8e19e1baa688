import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Dashboard } from '../../src/dashboard/server.ts';
import type { StreamRow, View } from '../../src/dashboard/view.ts';
import { launchBrowser, type OpenedPage, openPage, type PageOptions } from './browser.ts';
import { startBuilt } from './built.ts';
import { type InventedService, inventService } from './invented-view.ts';

/** A browser, the shipped server, and an invented service behind it, anew for each test. */
export interface Stage {
  service: InventedService;
  dashboard: Dashboard;
  readonly opened: OpenedPage[];
  /** Serves another service, at the same port if it is given. */
  start(service: InventedService, port?: number): Promise<void>;
  open(query?: string, options?: PageOptions): Promise<Page>;
  /** The view that a page without choices shows. */
  look(): View;
}

/** After each test, no page may have said a word to its console or called another host. */
export function setUpStage(): Stage {
  let browser: Browser;
  const stage: Stage = {
    service: inventService(),
    dashboard: { url: '', port: 0, close: async () => {} },
    opened: [],
    async start(service, port = 0) {
      await stage.dashboard.close();
      stage.service = service;
      // what a test breaks on purpose it looks for on the page
      stage.dashboard = await startBuilt({
        // as many as a test may come to have
        targets: 3,
        source: (query) => stage.service.source(query),
        port,
        onError() {},
      });
    },
    async open(query = '', options = {}) {
      const opened = await openPage(browser, `${stage.dashboard.url}${query}`, options);
      stage.opened.push(opened);
      return opened.page;
    },
    look: () => stage.service.source({ stream: '', filter: '', target: 0 }),
  };
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(() => stage.start(inventService()));
  afterEach(async () => {
    const pages = stage.opened.splice(0);
    for (const { page } of pages) await page.close();
    await stage.dashboard.close();
    for (const { problems, strangers } of pages) {
      expect({ problems, strangers }).toEqual({ problems: [], strangers: [] });
    }
  });
  return stage;
}

/** A row of the view as `readRows` gives it. */
export function valuesOf(row: StreamRow): Record<string, number | string | null> {
  const gain = row.mae === null || row.persistenceMae === null ? null : 1 - row.mae / row.persistenceMae;
  const points = [1, 6, 24].flatMap((steps) => {
    const point = row.forecast.find((each) => each.steps === steps);
    return [
      [`forecast ${steps}`, point?.value ?? null],
      [`low ${steps}`, point?.low ?? null],
      [`high ${steps}`, point?.high ?? null],
    ];
  });
  return {
    time: row.timeMs,
    value: row.value,
    ...Object.fromEntries(points),
    mae: row.mae,
    'persistence-mae': row.persistenceMae,
    gain,
    health: row.health,
  };
}
