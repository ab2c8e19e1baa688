import type { View } from '../view.ts';
import type { Link } from './notices.ts';

export interface ConnectionOptions {
  readonly onView: (view: View) => void;
  readonly onLink: (link: Link) => void;
}

export interface Connection {
  /** Follows the views of this query from now on. */
  follow(query: string): void;
}

// the server speaks at least every 15 s
const deafMs = 40_000;
const retryMs = 2_000;
const hiddenMs = 30_000;

/** The stream of views: comes back by itself, and pauses while nobody looks, because browsers allow few at a time. */
export function createConnection({ onView, onLink }: ConnectionOptions): Connection {
  let query = '';
  let events: EventSource | null = null;
  let lostSinceMs = 0;
  let deaf: number | undefined;
  let retry: number | undefined;
  let pause: number | undefined;

  const close = () => {
    clearTimeout(deaf);
    clearTimeout(retry);
    events?.close();
    events = null;
  };
  const open = () => {
    close();
    const opened = new EventSource(`events${query}`);
    events = opened;
    opened.addEventListener('message', ({ data }) => {
      hear();
      onView(JSON.parse(data) as View);
    });
    opened.addEventListener('beat', hear);
    opened.addEventListener('error', () => {
      lose();
      // a refusal ends an EventSource for good, a broken line does not
      if (opened.readyState === EventSource.CLOSED) retry = window.setTimeout(open, retryMs);
    });
    listen();
  };
  const hear = () => {
    lostSinceMs = 0;
    onLink({ kind: 'live' });
    listen();
  };
  const listen = () => {
    clearTimeout(deaf);
    deaf = window.setTimeout(() => {
      lose();
      open();
    }, deafMs);
  };
  const lose = () => {
    lostSinceMs ||= Date.now();
    onLink({ kind: 'lost', sinceMs: lostSinceMs });
  };

  document.addEventListener('visibilitychange', () => {
    clearTimeout(pause);
    if (document.hidden) pause = window.setTimeout(close, hiddenMs);
    else if (!events) open();
  });
  return {
    follow(next) {
      query = next;
      open();
    },
  };
}
