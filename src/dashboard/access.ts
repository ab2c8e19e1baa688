import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What becomes of a request. */
export type Admission =
  | { readonly kind: 'in' }
  /** It brought the token in its address: it goes on without it, and with a cookie. */
  | { readonly kind: 'welcome'; readonly location: string; readonly cookie: string }
  | { readonly kind: 'out'; readonly status: 401 | 403; readonly line: string };

export interface AccessOptions {
  /** Where the page listens. */
  readonly host: string;
  /** What whoever looks has to know; without one only this machine is served. */
  readonly token?: string | undefined;
}

const cookieName = 'cellstream';
/** What this machine calls itself. */
const local = ['localhost', '127.0.0.1', '[::1]'];

/** Decides who sees the page. */
export function createAccess({ host, token }: AccessOptions): (request: IncomingMessage) => Admission {
  return token === undefined ? byName(host) : byToken(token);
}

/** A page of somebody else's, under a name that leads here, would otherwise read this one in the browser of whoever opened
 * it. */
function byName(host: string): (request: IncomingMessage) => Admission {
  const names = [...new Set([...local, host.includes(':') ? `[${host}]` : host])];
  return ({ headers }) => {
    const asked = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    if (names.includes(asked)) return { kind: 'in' };
    const line = `This page is served as ${names.join(', ')}, not as ${JSON.stringify(asked)}`;
    return { kind: 'out', status: 403, line };
  };
}

function byToken(token: string): (request: IncomingMessage) => Admission {
  const digest = digestOf(token);
  // equal lengths, and a comparison that takes as long for every wrong token
  const isToken = (given: string | null | undefined) =>
    given != null && timingSafeEqual(digestOf(given), digest);
  return ({ url = '', headers }) => {
    const [path] = url.split('?', 1);
    const query = new URLSearchParams(url.slice(path.length));
    if (isToken(query.get('token'))) {
      query.delete('token');
      const rest = query.size > 0 ? `?${query}` : '';
      const cookie = `${cookieName}=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`;
      // to the page alone: a path that was given may name another server
      return { kind: 'welcome', location: `/${rest}`, cookie };
    }
    if (isToken(readCookie(headers.cookie))) return { kind: 'in' };
    return { kind: 'out', status: 401, line: 'This page wants its token: open it once as /?token=TOKEN' };
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function readCookie(header = ''): string | undefined {
  const prefix = `${cookieName}=`;
  const found = header
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix));
  try {
    return found && decodeURIComponent(found.slice(prefix.length));
  } catch {
    return undefined;
  }
}
