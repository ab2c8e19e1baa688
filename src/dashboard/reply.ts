import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** The page loads, runs and talks to nothing but this server, and nobody frames it. */
const everyReply = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

/** Ends the response. To HEAD, Node sends the headers alone. */
export function send(response: ServerResponse, { status, type, body, headers = {} }: Reply): void {
  // the length of a 304 would be that of the body which it spares
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...everyReply, 'content-type': type, ...length, ...headers }).end(body);
}

/** One line for whoever asked. */
export function sendLine(
  response: ServerResponse,
  status: number,
  line: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const type = 'text/plain; charset=utf-8';
  send(response, {
    status,
    type,
    body: `${line}\n`,
    headers: { 'cache-control': 'no-store', ...headers },
  });
}

/** The body follows in pieces, for as long as both sides like. */
export function startEvents(response: ServerResponse): void {
  response.writeHead(200, {
    ...everyReply,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // a proxy that collects the stream would make it late
    'x-accel-buffering': 'no',
  });
}
