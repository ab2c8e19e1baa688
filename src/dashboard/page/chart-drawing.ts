import type uPlot from 'uplot';
import type { ChartData } from './chart-data.ts';
import { formatClock, formatDay, formatTo } from './format.ts';
import type { Palette } from './theme.ts';

const daySeconds = 86_400;

/** What a chart needs to draw itself: looked up anew at each drawing. */
export interface Drawn {
  readonly palette: () => Palette;
  readonly data: () => ChartData;
}

/** Midnights get their day, other times the hour. */
export function timeLabels(splits: readonly number[]): string[] {
  return splits.map((time) =>
    time % daySeconds === 0 ? formatDay(time * 1_000) : formatClock(time * 1_000),
  );
}

/** As many decimals as the distance of the labels has. */
export function valueLabels(splits: readonly number[], increment: number): string[] {
  const decimals = String(increment).split('.')[1]?.length ?? 0;
  return splits.map((value) => formatTo(value, decimals));
}

/** A tint over the time that has not come, beneath everything else. */
export function drawAhead(plot: uPlot, { palette, data }: Drawn): void {
  const { times, now } = data();
  if (now < 0 || now === times.length - 1) return;
  const { left, top, width, height } = plot.bbox;
  const from = plot.valToPos(times[now], 'x', true);
  plot.ctx.fillStyle = palette().ahead;
  plot.ctx.fillRect(from, top, left + width - from, height);
}

/** The line between what was and what is to come. */
export function drawNowLine(plot: uPlot, { palette, data }: Drawn): void {
  const { times, now } = data();
  if (now < 0) return;
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(times[now], 'x', true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = palette().muted;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** The word above the line, and a dot at what was read last. */
export function drawNowMark(plot: uPlot, { palette, data }: Drawn): void {
  const { times, measured, now } = data();
  if (now < 0) return;
  const { ctx, bbox } = plot;
  const { ink, muted, surface, fontFamily } = palette();
  const ratio = devicePixelRatio;
  const x = plot.valToPos(times[now], 'x', true);
  ctx.save();
  ctx.font = `${11 * ratio}px ${fontFamily}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'bottom';
  ctx.fillStyle = muted;
  ctx.fillText('now', x, bbox.top - 4 * ratio);
  const value = measured[now];
  if (value !== null) {
    ctx.beginPath();
    ctx.arc(x, plot.valToPos(value, 'y', true), 4 * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = ink;
    ctx.fill();
    ctx.lineWidth = 2 * ratio;
    ctx.strokeStyle = surface;
    ctx.stroke();
  }
  ctx.restore();
}
