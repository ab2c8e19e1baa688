import { get, type IncomingMessage } from 'node:http';
import type { View } from '../../src/dashboard/view.ts';

export interface EventClient {
  readonly response: IncomingMessage;
  /** Each event as it came, without the empty line behind it. */
  readonly events: string[];
  readonly views: () => View[];
  /** Waits for the event of this number, counted from 0. */
  event(index: number): Promise<string>;
  readonly ended: Promise<void>;
  close(): void;
}

/** Reads server-sent events as a browser does. */
export function openEvents(url: string): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) =>
      resolve(readEvents(response, () => request.destroy())),
    );
    request.once('error', reject);
  });
}

function readEvents(response: IncomingMessage, close: () => void): EventClient {
  const events: string[] = [];
  let rest = '';
  let notify = () => {};
  response.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop() ?? '';
    events.push(...parts);
    notify();
  });
  const ended = new Promise<void>((resolve) => {
    response.on('error', () => {}).once('close', resolve);
  });
  return {
    response,
    events,
    views: () => events.flatMap(viewOf),
    ended,
    close,
    async event(index) {
      while (events.length <= index) {
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      }
      return events[index];
    },
  };
}

function viewOf(event: string): View[] {
  const line = event.split('\n').find((each) => each.startsWith('data: {'));
  return line ? [JSON.parse(line.slice('data: '.length)) as View] : [];
}
