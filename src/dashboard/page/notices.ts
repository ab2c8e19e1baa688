import type { BrokerView, Overview } from '../view.ts';
import { find, setAttribute, setText } from './element.ts';
import { formatClock, formatCount, formatElapsed } from './format.ts';

export type Link =
  | { readonly kind: 'live' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'lost'; readonly sinceMs: number };

export interface Notices {
  showBroker(overview: Overview): void;
  showLink(link: Link): void;
}

/** Says plainly when something is away: the broker from the service, or the service from this page. */
export function createNotices(): Notices {
  const broker = createNotice('broker-notice');
  const server = createNotice('server-notice');
  const link = find('link', HTMLElement);
  const linkState = find('link-state', HTMLElement);
  return {
    showBroker({ broker: view, superseded }) {
      broker.show(
        view.state === 'connected' ? null : { text: describeWait(view, superseded), sinceMs: view.sinceMs },
      );
    },
    showLink(now) {
      const words = { live: 'live', opening: 'connecting', lost: 'service lost' };
      setAttribute(link, 'data-state', now.kind);
      setText(linkState, words[now.kind]);
      setAttribute(document.documentElement, 'data-link', now.kind);
      const text =
        'This page has lost the service and tries to reach it again. What is shown is the last that was known.';
      server.show(now.kind === 'lost' ? { text, sinceMs: now.sinceMs } : null);
    },
  };
}

function describeWait({ address, state, sinceMs }: BrokerView, superseded: number): string {
  if (state === 'starting') {
    return `The service starts: it goes through what was read before, then connects to the broker ${address}.`;
  }
  const waiting =
    superseded > 0 ? ` ${formatCount(superseded)} forecasts were superseded by newer ones.` : '';
  return `The broker ${address} has been away since ${formatClock(sinceMs)} UTC. No readings arrive; the service tries to reach it again.${waiting}`;
}

/** The words stand in a live region; how long it has been is beside it, or it would be read out each second. */
function createNotice(id: string) {
  const root = find(id, HTMLElement);
  const words = find(`${id}-text`, HTMLElement);
  const elapsed = find(`${id}-elapsed`, HTMLElement);
  let since = 0;
  const count = () => setText(elapsed, formatElapsed(Math.max(0, Date.now() - since)));
  setInterval(() => root.hidden || count(), 1_000);
  return {
    show(notice: { readonly text: string; readonly sinceMs: number } | null) {
      root.hidden = notice === null;
      setText(words, notice?.text ?? '');
      if (!notice) return;
      since = notice.sinceMs;
      count();
    },
  };
}
