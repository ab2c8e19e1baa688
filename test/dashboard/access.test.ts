import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type Dashboard, startDashboard } from '../../src/dashboard/server.ts';
import { inventService } from './invented-view.ts';

const token = 'a token nobody guesses/+%';
let dashboard: Dashboard;

afterEach(() => dashboard.close());

async function open(wanted?: string): Promise<void> {
  const { source } = inventService();
  dashboard = await startDashboard({ targets: 1, source, port: 0, token: wanted });
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly location: string | undefined;
  readonly cookie: string | undefined;
}

function ask(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((done, failed) => {
    const { port } = dashboard;
    request({ port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (path.startsWith('/events')) response.destroy();
      });
      response.on('close', () =>
        done({
          status: response.statusCode,
          body,
          location: response.headers.location,
          cookie: response.headers['set-cookie']?.[0],
        }),
      );
    })
      .on('error', failed)
      .end();
  });
}

const everything = ['/', '/view', '/events', '/page.css', '/nothing'];

describe('a page without a token', () => {
  test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('is served as %s', async (name) => {
    await open();
    expect((await ask('/', { host: `${name}:${dashboard.port}` })).status).toBe(200);
  });

  test.each(everything)('gives %s to no name that somebody else has made lead here', async (path) => {
    await open();
    const { status, body } = await ask(path, { host: 'evil.example' });
    expect(status).toBe(403);
    expect(body).toBe('This page is served as localhost, 127.0.0.1, [::1], not as "evil.example"\n');
  });
});

describe('a page with a token', () => {
  test.each(everything)('gives %s to nobody who does not bring it', async (path) => {
    await open(token);
    const wrong: Record<string, string>[] = [
      {},
      { cookie: 'cellstream=' },
      { cookie: 'cellstream=a%20token' },
      { cookie: 'cellstream=%E0%A4%A' },
      { cookie: `other=${encodeURIComponent(token)}` },
    ];
    for (const headers of wrong) {
      const { status, body } = await ask(path, headers);
      expect({ status, body }).toEqual({
        status: 401,
        body: 'This page wants its token: open it once as /?token=TOKEN\n',
      });
    }
    expect((await ask(`${path}?token=${encodeURIComponent(token.slice(1))}`)).status).toBe(401);
  });

  test('is opened once with it in the address, which then leaves the address for a cookie', async () => {
    await open(token);
    const { status, location, cookie = '' } = await ask(`/?stream=a&token=${encodeURIComponent(token)}`);
    expect({ status, location }).toEqual({ status: 303, location: '/?stream=a' });
    expect(cookie).toContain('HttpOnly; SameSite=Strict');
    for (const path of everything) {
      const answer = await ask(path, { cookie: `theme=dark; ${cookie.split(';', 1)[0]}`, host: 'pi.local' });
      expect(answer.status).toBe(path === '/nothing' ? 404 : 200);
    }
  });

  test.each(['//evil.example/', '///evil.example', '/\\evil.example'])(
    'leads from %s nowhere else',
    async (path) => {
      await open(token);
      const { location = '' } = await ask(`${path}?token=${encodeURIComponent(token)}`);
      expect(new URL(location, dashboard.url).host).toBe(new URL(dashboard.url).host);
    },
  );
});
