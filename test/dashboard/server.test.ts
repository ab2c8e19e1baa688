import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DashboardPortError } from '../../src/dashboard/port-error.ts';
import { type Dashboard, startDashboard } from '../../src/dashboard/server.ts';
import type { View } from '../../src/dashboard/view.ts';
import { until } from '../mqtt/until.ts';
import { openEvents } from './event-client.ts';
import { type InventedService, inventService } from './invented-view.ts';

let service: InventedService;
let dashboard: Dashboard;
let errors: unknown[];

beforeEach(async () => {
  service = inventService();
  errors = [];
  dashboard = await startDashboard({
    targets: 1,
    source: (query) => service.source(query),
    port: 0,
    onError: (error) => errors.push(error),
  });
});

afterEach(async () => {
  await dashboard.close();
});

const at = (path: string) => new URL(path, dashboard.url);

describe('requests', () => {
  test('the page is at /, and may load and reach nothing but its own server', async () => {
    const response = await fetch(dashboard.url);
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^<!doctype html>/);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|data:|\*/);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  test('a file that has not changed is not sent again', async () => {
    const first = await fetch(at('/page.css'));
    const etag = first.headers.get('etag') ?? '';
    const second = await fetch(at('/page.css'), { headers: { 'if-none-match': etag } });
    expect([first.status, second.status]).toEqual([200, 304]);
    expect(await second.text()).toBe('');
  });

  test.each([
    '/../server.ts',
    '/page/../../server.ts',
    '/%2e%2e/server.ts',
    '/page/index.html',
    '/index.html',
    '/main.ts',
    '//',
    '/view/',
    '/constructor',
    'http://elsewhere/',
    '*',
  ])('%s is not there', async (path) => {
    expect(await statusOf('GET', path)).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused with what is served', async (method) => {
    const response = await fetch(at('/view'), { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.text()).toBe(`${method} is not served, expected GET or HEAD\n`);
  });

  test.each(['/', '/view', '/events', '/nothing'])('HEAD %s has the headers and no body', async (path) => {
    const response = await fetch(at(path), { method: 'HEAD' });
    expect(response.status).toBe(path === '/nothing' ? 404 : 200);
    expect(response.headers.get('content-security-policy')).not.toBeNull();
    expect(await response.text()).toBe('');
  });

  test('a view is what the source says of the query, and is not kept', async () => {
    const query = { stream: 'JFK & co', filter: 'ä/<b>', target: '0', horizon: '6' };
    const response = await fetch(at(`/view?${new URLSearchParams(query)}`));
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(service.source({ stream: 'JFK & co', filter: 'ä/<b>', target: 0 }));
    expect(service.asked[0]).toEqual({ stream: 'JFK & co', filter: 'ä/<b>', target: 0 });
  });

  test.each([
    [`filter=${'x'.repeat(201)}`, 'filter has 201 characters, expected at most 200'],
    [`stream=${'x'.repeat(1001)}`, 'stream has 1001 characters, expected at most 1000'],
    ['target=-1', 'target is "-1", expected a whole number from 0 on'],
    ['target=0.5', 'target is "0.5", expected a whole number from 0 on'],
    ['target=1e3', 'target is "1e3", expected a whole number from 0 on'],
    ['target=1', 'target is 1, expected at most 0'],
  ])('%s is refused', async (query, line) => {
    for (const path of ['/view', '/events']) {
      const response = await fetch(at(`${path}?${query}`));
      expect(response.status).toBe(400);
      expect(await response.text()).toBe(`${line}\n`);
    }
  });

  test('a view that cannot be made is a 500, told to the service and not to the page', async () => {
    const healthy = service;
    service = { ...service, source: failing };
    const response = await fetch(at('/view'));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(errors).toEqual([new Error('secret')]);
    service = healthy;
    expect((await fetch(at('/view'))).status).toBe(200);
  });
});

describe('events', () => {
  test('bring a view at once, and another when something has changed', async () => {
    const client = await openEvents(`${dashboard.url}events?stream=JFK`);
    expect(client.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await client.event(0);
    expect(client.views()[0]).toEqual(service.source({ stream: 'JFK', filter: '', target: 0 }));
    await pause(600);
    expect(client.events).toHaveLength(1);
    service.frame++;
    await client.event(1);
    expect(client.views()[1]).toEqual(service.source({ stream: 'JFK', filter: '', target: 0 }));
    client.close();
  });

  test('come at most four times a second', async () => {
    const busy = setInterval(() => service.frame++, 5);
    const startMs = performance.now();
    const client = await openEvents(`${dashboard.url}events`);
    await client.event(3);
    clearInterval(busy);
    // three whole pauses lie between four events, give or take a timer's millisecond
    expect(performance.now() - startMs).toBeGreaterThan(3 * 250 - 10);
    client.close();
  });

  test('skip views for a client that does not read, which then sees the newest', async () => {
    const padding = 'x'.repeat(2_000_000);
    const small = service;
    service = {
      ...small,
      source(query) {
        const view = small.source(query);
        return { ...view, overview: { ...view.overview, name: padding, forecasts: small.frame } };
      },
    };
    const client = await openEvents(`${dashboard.url}events`);
    client.response.pause();
    const busy = setInterval(() => small.frame++, 50);
    await pause(4_000);
    clearInterval(busy);
    const newest = small.frame;
    client.response.resume();
    const seen = () => client.views().map(({ overview }) => overview.forecasts);
    while (seen().at(-1) !== newest) await pause(50);
    // sixteen views went by meanwhile; the kernel's buffers alone hold some
    expect(seen().length).toBeLessThan(8);
    client.close();
  });

  test('are refused beyond 64 pages, until one goes', async () => {
    const url = `${dashboard.url}events`;
    const clients = await Promise.all(Array.from({ length: 64 }, () => openEvents(url)));
    const refused = await fetch(url);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toMatch(/^64 pages are open, expected at most 64; .*\n$/);
    clients[0].close();
    // until the server has noticed
    await until(async () => {
      const again = await openEvents(url);
      clients.push(again);
      return again.response.statusCode === 200;
    });
    for (const client of clients) client.close();
  });

  test('look once for all pages that ask the same', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => openEvents(`${dashboard.url}events`)));
    await Promise.all(clients.map((client) => client.event(0)));
    const before = service.asked.length;
    const startMs = performance.now();
    await pause(1_100);
    expect(service.asked.length - before).toBeLessThanOrEqual(1 + (performance.now() - startMs) / 250);
    for (const client of clients) client.close();
    // as soon as the server has noticed
    await until(async () => {
      const after = service.asked.length;
      await pause(600);
      return service.asked.length === after;
    });
  });

  test('end when a view cannot be made, and the server lives on', async () => {
    const client = await openEvents(`${dashboard.url}events`);
    const healthy = service;
    service = { ...service, source: failing };
    await client.ended;
    expect(errors).toEqual([new Error('secret')]);
    service = healthy;
    const again = await openEvents(`${dashboard.url}events`);
    await again.event(0);
    again.close();
  });
});

describe('the port', () => {
  test('in use is one clear line', async () => {
    const error = await startDashboard({ source: service.source, targets: 1, port: dashboard.port }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DashboardPortError);
    expect((error as Error).message).toBe(
      `dashboard: 127.0.0.1:${dashboard.port} is already in use, expected a free port; ` +
        'stop the other program or choose another port',
    );
  });

  test('of another machine is one clear line', async () => {
    const start = startDashboard({ source: service.source, targets: 1, host: '192.0.2.1', port: 0 });
    await expect(start).rejects.toThrow(/^dashboard: 192\.0\.2\.1:0 is no address of this machine/);
  });

  test('is free again after close, which ends event streams', async () => {
    const client = await openEvents(`${dashboard.url}events`);
    await client.event(0);
    // a stream that went on would never end
    await Promise.all([dashboard.close(), dashboard.close(), client.ended]);
    const next = createServer().listen(dashboard.port, '127.0.0.1');
    await once(next, 'listening');
    expect((next.address() as AddressInfo).port).toBe(dashboard.port);
    next.close();
  });

  test('on all addresses is named as this machine knows it', async () => {
    const wide = await startDashboard({ source: service.source, targets: 1, host: '0.0.0.0', port: 0 });
    expect(wide.url).toBe(`http://localhost:${wide.port}/`);
    await wide.close();
  });
});

function failing(): View {
  throw new Error('secret');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** With a path that fetch would tidy up. */
async function statusOf(method: string, path: string): Promise<number | undefined> {
  const request = httpRequest({ host: '127.0.0.1', port: dashboard.port, method, path }).end();
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}
