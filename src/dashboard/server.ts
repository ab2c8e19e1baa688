import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Admission, createAccess } from './access.ts';
import { findAsset } from './assets.ts';
import { createEventStreams, type EventStreams } from './event-streams.ts';
import { describeListenError } from './port-error.ts';
import { parseViewQuery, ViewQueryError } from './query.ts';
import { send, sendLine } from './reply.ts';
import type { ViewQuery, ViewSource } from './view.ts';

export interface DashboardOptions {
  readonly source: ViewSource;
  /** M: targets of the model. */
  readonly targets: number;
  /** Only this machine, unless told otherwise. */
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What whoever looks has to know; without one only this machine is served. */
  readonly token?: string | undefined;
  /** Of a view that could not be made, or a page file that could not be read; whoever asked gets a 500. */
  readonly onError?: (error: unknown) => void;
}

export interface Dashboard {
  /** Where a browser on this machine finds the page. */
  readonly url: string;
  readonly port: number;
  /** Ends the open pages' event streams at once. */
  close(): Promise<void>;
}

// event streams, and as many requests again that pass in a moment
const mostConnections = 256;

export async function startDashboard({
  source,
  targets,
  host = '127.0.0.1',
  port,
  token,
  onError = console.error,
}: DashboardOptions): Promise<Dashboard> {
  const look = (query: ViewQuery) => JSON.stringify(source(query));
  const events = createEventStreams({ look, onError });
  const context = { targets, look, events, admit: createAccess({ host, token }) };
  const server = createServer((request, response) => {
    answer(context, request, response).catch((error: unknown) => fail(response, error, onError));
  });
  server.maxConnections = mostConnections;
  try {
    await listen(server, host, port);
  } catch (error) {
    throw describeListenError(error, host, port);
  }
  server.on('error', onError);
  const taken = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${nameOf(host)}:${taken}/`,
    port: taken,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        // event streams would go on for ever
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

interface Context {
  readonly targets: number;
  readonly look: (query: ViewQuery) => string;
  readonly events: EventStreams;
  readonly admit: (request: IncomingMessage) => Admission;
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    sendLine(response, 405, `${method} is not served, expected GET or HEAD`, { allow: 'GET, HEAD' });
    return;
  }
  const admission = context.admit(request);
  if (admission.kind !== 'in') {
    turnAway(admission, response);
    return;
  }
  const [path] = url.split('?', 1);
  const search = url.slice(path.length);
  if (path === '/view') sendView(context, search, response);
  else if (path === '/events') openEvents(context, search, request, response);
  else await sendAsset(path, request, response);
}

function turnAway(admission: Exclude<Admission, { kind: 'in' }>, response: ServerResponse): void {
  if (admission.kind === 'out') {
    sendLine(response, admission.status, admission.line);
    return;
  }
  const { location, cookie } = admission;
  sendLine(response, 303, 'Welcome', { location, 'set-cookie': cookie });
}

function sendView({ targets, look }: Context, search: string, response: ServerResponse): void {
  const body = look(checkTarget(targets, parseViewQuery(search)));
  send(response, {
    status: 200,
    type: 'application/json; charset=utf-8',
    body,
    headers: { 'cache-control': 'no-store' },
  });
}

function openEvents(
  { targets, events }: Context,
  search: string,
  { method }: IncomingMessage,
  response: ServerResponse,
): void {
  const query = checkTarget(targets, parseViewQuery(search));
  if (method === 'HEAD') sendLine(response, 200, '', { 'content-type': 'text/event-stream; charset=utf-8' });
  else events.open(query, response);
}

/** A source may trust that the target exists. */
function checkTarget(targets: number, query: ViewQuery): ViewQuery {
  if (query.target < targets) return query;
  throw new ViewQueryError(`target is ${query.target}, expected at most ${targets - 1}`);
}

async function sendAsset(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asset = await findAsset(path);
  if (!asset) {
    sendLine(response, 404, 'There is nothing here; the page is at /');
    return;
  }
  const { type, body, etag } = asset;
  const known = request.headers['if-none-match'] === etag;
  const headers = { 'cache-control': 'no-cache', etag };
  send(response, { status: known ? 304 : 200, type, body: known ? '' : body, headers });
}

function fail(response: ServerResponse, error: unknown, onError: (error: unknown) => void): void {
  if (error instanceof ViewQueryError) {
    sendLine(response, 400, error.message);
    return;
  }
  onError(error);
  if (response.headersSent) response.destroy();
  else sendLine(response, 500, 'This failed; the log of the service says why');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** An address that stands for all of the machine's is none that a browser can open. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
