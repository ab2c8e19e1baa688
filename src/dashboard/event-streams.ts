import type { ServerResponse } from 'node:http';
import { sendLine, startEvents } from './reply.ts';
import type { ViewQuery } from './view.ts';

export interface EventStreamsOptions {
  /** The view as JSON. */
  readonly look: (query: ViewQuery) => string;
  /** A view cannot be made: a defect of ours. */
  readonly onError: (error: unknown) => void;
  readonly limit?: number;
  /** The shortest time between two views. */
  readonly periodMs?: number;
  readonly heartbeatMs?: number;
  /** A client that takes nothing for so long is gone. */
  readonly patienceMs?: number;
}

/** All pages that follow the views. */
export interface EventStreams {
  /** Sends a view now and whenever it has changed, until either side ends it. */
  open(query: ViewQuery, response: ServerResponse): void;
}

interface Client {
  readonly query: ViewQuery;
  readonly response: ServerResponse;
  sent: string;
  writtenMs: number;
  /** The kernel's buffer is full: nothing is written until it has drained. */
  blocked: boolean;
}

/** One timer for all clients, which runs only while there are some; equal queries share one look. */
export function createEventStreams({
  look,
  onError,
  limit = 64,
  periodMs = 250,
  heartbeatMs = 15_000,
  patienceMs = 60_000,
}: EventStreamsOptions): EventStreams {
  const clients = new Set<Client>();
  let timer: ReturnType<typeof setInterval> | undefined;

  const tick = () => {
    const looks = createLooks(look);
    for (const client of clients) {
      try {
        serve(client, looks);
      } catch (error) {
        client.response.destroy();
        onError(error);
      }
    }
  };
  const serve = (client: Client, looks: (query: ViewQuery) => string) => {
    const silentMs = performance.now() - client.writtenMs;
    if (client.blocked) {
      if (silentMs > patienceMs) client.response.destroy();
      return;
    }
    const view = looks(client.query);
    if (view !== client.sent) {
      client.sent = view;
      write(client, `data: ${view}\n\n`);
    } else if (silentMs >= heartbeatMs) {
      // an event and no comment: a page cannot see comments, and this is how it knows that the line still lives
      write(client, 'event: beat\ndata: 1\n\n');
    }
  };
  const forget = (client: Client) => {
    clients.delete(client);
    if (clients.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    open(query, response) {
      if (clients.size >= limit) {
        const line = `${clients.size} pages are open, expected at most ${limit}; close another one and try again`;
        sendLine(response, 503, line, { 'retry-after': '5' });
        return;
      }
      const view = look(query);
      const client = { query, response, sent: view, writtenMs: 0, blocked: false };
      clients.add(client);
      timer ??= setInterval(tick, periodMs);
      response.on('drain', () => {
        client.blocked = false;
      });
      response.on('close', () => forget(client));
      startEvents(response);
      write(client, `retry: 1000\ndata: ${view}\n\n`);
    },
  };
}

function write(client: Client, text: string): void {
  client.writtenMs = performance.now();
  client.blocked = !client.response.write(text);
}

/** One tick's looks: each query is answered once. */
function createLooks(look: (query: ViewQuery) => string): (query: ViewQuery) => string {
  const views = new Map<string, string>();
  return (query) => {
    const key = JSON.stringify([query.stream, query.filter, query.target]);
    let view = views.get(key);
    if (view === undefined) {
      view = look(query);
      views.set(key, view);
    }
    return view;
  };
}
