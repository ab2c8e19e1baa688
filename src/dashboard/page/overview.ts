import type { BrokerView, Overview, Percentiles } from '../view.ts';
import { find, setAttribute, setText, setValue } from './element.ts';
import {
  decimalsFor,
  formatClock,
  formatCount,
  formatDay,
  formatMicroseconds,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatTo,
  missing,
} from './format.ts';
import { createErrorPair, showGain } from './horizon-errors.ts';
import { createReadings } from './readings.ts';

export interface OverviewPanel {
  show(overview: Overview): void;
}

/** The service as a whole: who it is, how it does. */
export function createOverview(): OverviewPanel {
  const [name, model] = [find('service-name', HTMLElement), find('model', HTMLElement)];
  const [streams, rate] = [find('streams-count', HTMLElement), find('message-rate', HTMLElement)];
  const [forecasts, superseded] = [find('forecasts', HTMLElement), find('superseded', HTMLElement)];
  const broker = find('broker', HTMLElement);
  const shadow = find('shadow', HTMLElement);
  const step = createPercentiles('step', formatMicroseconds);
  const latency = createPercentiles('latency', formatMilliseconds);
  const error = createErrorSoFar();
  const replay = createReplay();
  const readings = createReadings();
  return {
    show(overview) {
      const { version, id, kind } = overview.model;
      setText(name, overview.name);
      setText(model, [`${overview.model.name} ${version}`, kind, id.slice(0, 8)].join(' · '));
      setAttribute(model, 'title', `Model ${id}`);
      showBroker(broker, overview.broker);
      setValue(streams, formatCount(overview.streams), overview.streams);
      setValue(rate, formatNumber(overview.messagesPerSecond), overview.messagesPerSecond);
      setValue(forecasts, formatCount(overview.forecasts), overview.forecasts);
      setValue(superseded, describeRest(overview), overview.superseded);
      step.show(overview.stepUs);
      latency.show(overview.latencyMs);
      error.show(overview.error);
      showShadow(shadow, overview.shadow);
      replay.show(overview.replay);
      readings.show(overview.readings, overview.malformed);
    },
  };
}

/** What became of the forecasts that did not go out. */
function describeRest({ superseded, refused, waiting }: Overview): string {
  const parts = [
    [refused, 'refused'],
    [superseded, 'superseded'],
    [waiting, 'waiting'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${formatCount(count)} ${word}`)
    .join(', ');
}

function showBroker(root: HTMLElement, { address, state, sinceMs, reconnects }: BrokerView): void {
  const times = reconnects === 1 ? '1 reconnect' : `${formatCount(reconnects)} reconnects`;
  const since = `since ${formatDay(sinceMs)}, ${formatClock(sinceMs)} UTC`;
  const [said, title] = {
    starting: ['not connected yet', ''],
    connected: ['connected', `Connected ${since}`],
    away: [`away since ${formatClock(sinceMs)} UTC`, `Away ${since}`],
  }[state];
  setAttribute(root, 'data-state', state);
  setText(find('broker-address', HTMLElement), address);
  setText(find('broker-state', HTMLElement), reconnects > 0 ? `${said}, ${times}` : said);
  setAttribute(root, 'title', title);
}

function createPercentiles(id: string, format: (value: number | null) => string) {
  const median = find(`${id}-p50`, HTMLElement);
  const tail = find(`${id}-p99`, HTMLElement);
  return {
    show({ p50, p99 }: Percentiles) {
      setValue(median, format(p50), p50);
      setValue(tail, p99 === null ? missing : `p99 ${format(p99)}`, p99);
    },
  };
}

function createErrorSoFar() {
  const mae = find('error-mae', HTMLElement);
  const gain = find('error-gain', HTMLElement);
  const pair = createErrorPair();
  find('error-bars', HTMLElement).append(pair.root);
  return {
    show(error: Overview['error']) {
      setValue(mae, formatNumber(error.mae), error.mae);
      showGain(gain, error);
      if (error.mae === null) setText(gain, 'no forecast has met its reading yet');
      else if (gain.textContent)
        setText(gain, `${gain.textContent} than persistence`.replace('level than', 'level with'));
      pair.show(error, Math.max(error.mae ?? 0, error.persistenceMae ?? 0));
    },
  };
}

/** A model that is tried, beside the one whose forecasts are published. */
function showShadow(root: HTMLElement, shadow: Overview['shadow']): void {
  root.hidden = shadow === null;
  if (!shadow) return;
  const { id, n, mae, servingMae } = shadow;
  const decimals = decimalsFor([mae, servingMae]);
  const errors = `error ${formatTo(mae, decimals)}, serving ${formatTo(servingMae, decimals)}`;
  setValue(root, `shadow ${id.slice(0, 8)}: ${errors}, ${formatCount(n)} forecasts`, mae);
  setAttribute(root, 'title', `Model ${id}, on the same readings as the one that serves`);
}

function createReplay() {
  const root = find('replay', HTMLElement);
  const bar = find('replay-bar', HTMLProgressElement);
  const text = find('replay-text', HTMLElement);
  return {
    show(replay: Overview['replay']) {
      root.hidden = replay === null;
      if (!replay) return;
      const share = replay.total > 0 ? Math.min(1, replay.done / replay.total) : 0;
      bar.value = share;
      setValue(
        text,
        `${formatPercent(share)} of the recording, ${formatCount(replay.done)} of ${formatCount(replay.total)}`,
        replay.done,
      );
    },
  };
}
