import { area, line } from 'd3-shape';
import { type Axis, type AxisKind, createAxis, extentOf, thinTicks, tickSize } from './axis.ts';
import { dashes, type Entry, labelsAtEnds, labelsWidth, legendRows } from './legend.ts';
import { type Color, element, escapeText, ink, label, palette, textWidth } from './svg.ts';

export interface LineSeries {
  readonly name: string;
  /** A value for each x; NaN breaks the line. */
  readonly points: ArrayLike<number>;
  readonly color?: Color;
  readonly dashed?: boolean;
  /** The line that the picture is about. */
  readonly strong?: boolean;
}

/** An area between two lines. */
export interface Band {
  readonly name: string;
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  readonly color?: Color;
}

/** A vertical line at an x that matters. */
interface Mark {
  readonly x: number;
  readonly label: string;
}

export interface LineChartOptions {
  readonly title: string;
  readonly subtitle?: string;
  /** Rising; times in milliseconds. */
  readonly x: ArrayLike<number>;
  readonly series: readonly LineSeries[];
  readonly bands?: readonly Band[];
  readonly marks?: readonly Mark[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xKind?: AxisKind;
  readonly yKind?: 'linear' | 'log';
  readonly xTicks?: readonly number[];
  /** The y axis begins at zero. */
  readonly fromZero?: boolean;
  readonly width?: number;
  readonly height?: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const colors = Object.keys(palette) as Color[];
const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const margin = 24;

/** A line chart as SVG text: the same bytes for the same numbers. Names stand at the ends of the lines where these
 * end at the right, else in a legend above; neither ever lies on a line. */
export function lineChart(options: LineChartOptions): string {
  const { title, width = 800, height = 400 } = options;
  const head = drawHead(options);
  const marksHeight = options.marks?.length ? 18 : 0;
  const measure = (box: Box) => ({ box, ...createAxes(options, box) });

  // the ticks decide the margins, and the margins the ticks: once roughly, then for good
  const rough = measure({ left: 70, right: width - margin, top: 100, bottom: height - 52 });
  const atEnds = entriesOf(options, rough).every(({ x }) => x > rough.box.right - 12);
  const left = margin + Math.max(...rough.y.ticks.map(({ text }) => textWidth(text, tickSize)), 12) + 6;
  const right = width - (atEnds ? Math.max(margin, labelsWidth(entriesOf(options, rough))) : margin);
  const legend = atEnds
    ? { svg: '', height: 0 }
    : legendRows(entriesOf(options, rough), {
        left: margin,
        width: width - 2 * margin,
        top: head.height + 4,
      });
  const top = head.height + (legend.height > 0 ? legend.height + 8 : 0) + 30 + marksHeight;
  const plot = measure({ left, right, top, bottom: height - 52 });

  const content = [
    element('title', {}, escapeText(title)),
    element('rect', { width, height, rx: 6, fill: ink.paper }),
    head.svg,
    legend.svg,
    drawAxes(options, plot),
    drawMarks(options, plot),
    ...drawBands(options, plot),
    ...drawSeries(options, plot),
    entriesOf(options, plot).length === 0 ? drawEmpty(plot.box) : '',
    atEnds ? labelsAtEnds(entriesOf(options, plot), plot.box) : '',
  ].filter((part) => part !== '');
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  };
  return `${element('svg', { ...attributes, role: 'img', 'font-family': fonts }, `\n${content.join('\n')}\n`)}\n`;
}

interface Plot {
  readonly box: Box;
  readonly x: Axis;
  readonly y: Axis;
}

function drawHead({ title, subtitle }: LineChartOptions): { readonly svg: string; readonly height: number } {
  const heading = label(title, { x: margin, y: 34, 'font-size': 17, 'font-weight': 600, fill: ink.strong });
  if (subtitle === undefined) return { svg: heading, height: 44 };
  return {
    svg: heading + label(subtitle, { x: margin, y: 54, 'font-size': 12.5, fill: ink.soft }),
    height: 62,
  };
}

function createAxes(options: LineChartOptions, { left, right, top, bottom }: Box): { x: Axis; y: Axis } {
  const { x, series, bands = [], xKind = 'linear', yKind = 'linear', xTicks, fromZero = false } = options;
  const values = [...series.map(({ points }) => points), ...bands.flatMap(({ low, high }) => [low, high])];
  const [low, high] = extentOf(
    values.flatMap((points) => Array.from(points)),
    yKind,
  );
  return {
    x: createAxis({
      kind: xKind,
      extent: extentOf(Array.from(x), xKind),
      pixels: [left, right],
      count: Math.max(2, Math.floor((right - left) / 90)),
      ticks: xTicks,
    }),
    y: createAxis({
      kind: yKind,
      extent: fromZero && yKind === 'linear' ? [Math.min(0, low), Math.max(0, high)] : [low, high],
      pixels: [bottom, top],
      nice: true,
      count: Math.max(2, Math.floor((bottom - top) / 40)),
    }),
  };
}

function drawAxes({ xLabel, yLabel, marks = [] }: LineChartOptions, { box, x, y }: Plot): string {
  const { left, right, top, bottom } = box;
  const text = { 'font-size': tickSize, fill: ink.soft };
  const rows = y.ticks.map(
    ({ position, text: value }) =>
      element('path', {
        d: `M${left.toFixed(1)},${position.toFixed(1)}H${right.toFixed(1)}`,
        stroke: ink.grid,
      }) + label(value, { ...text, x: left - 8, y: position + 4, 'text-anchor': 'end' }),
  );
  const columns = thinTicks(x.ticks).map(
    ({ position, text: value }) =>
      element('path', { d: `M${position.toFixed(1)},${bottom}v5`, stroke: ink.axis }) +
      label(value, { ...text, x: position, y: bottom + 19, 'text-anchor': 'middle' }),
  );
  const base = element('path', { d: `M${left.toFixed(1)},${bottom}H${right.toFixed(1)}`, stroke: ink.axis });
  const labelY = top - 12 - (marks.length > 0 ? 18 : 0);
  return [
    ...rows,
    base,
    ...columns,
    label(yLabel, { ...text, x: margin, y: labelY }),
    label(xLabel, { ...text, x: (left + right) / 2, y: bottom + 40, 'text-anchor': 'middle' }),
  ].join('');
}

function drawMarks({ marks = [] }: LineChartOptions, { box, x }: Plot): string {
  return marks
    .map((mark) => {
      const at = x.at(mark.x);
      const half = textWidth(mark.label, tickSize) / 2;
      // the text stays between the edges of the plot
      const textX = Math.max(box.left + half, Math.min(at, box.right - half));
      const stroke = { stroke: ink.soft, 'stroke-dasharray': '2 3' };
      return (
        element('path', { d: `M${at.toFixed(1)},${box.top - 4}V${box.bottom}`, ...stroke }) +
        label(mark.label, {
          ...{ x: textX, y: box.top - 9, 'font-size': tickSize },
          ...{ fill: ink.soft, 'text-anchor': 'middle' },
        })
      );
    })
    .join('');
}

function drawBands({ x: xs, bands = [] }: LineChartOptions, { x, y }: Plot): string[] {
  return bands.map(({ low, high, color = 'blue' }) => {
    const path = area<number>()
      .digits(1)
      .defined((i) => Number.isFinite(x.at(xs[i]) + y.at(low[i]) + y.at(high[i])))
      .x((i) => x.at(xs[i]))
      .y0((i) => y.at(low[i]))
      .y1((i) => y.at(high[i]));
    return element('path', { d: path(indicesOf(xs)) ?? '', fill: palette[color].line, 'fill-opacity': 0.16 });
  });
}

function drawSeries({ x: xs, series }: LineChartOptions, { x, y }: Plot): string[] {
  const drawn = series.map((one, order) => {
    const { points, dashed = false, strong = false } = one;
    const color = palette[colorOf(one, order)].line;
    const has = (i: number) => Number.isFinite(x.at(xs[i]) + y.at(points[i]));
    const path = line<number>()
      .digits(1)
      .defined(has)
      .x((i) => x.at(xs[i]))
      .y((i) => y.at(points[i]));
    const indices = indicesOf(xs);
    const stroke = element('path', {
      ...{ d: path(indices) ?? '', fill: 'none', stroke: color, 'stroke-width': strong ? 2.6 : 1.8 },
      ...{
        'stroke-linejoin': 'round',
        'stroke-linecap': 'round',
        'stroke-dasharray': dashed ? dashes : undefined,
      },
    });
    // a point between two gaps would be a line of no length
    const circles = indices
      .filter((i) => has(i) && !has(i - 1) && !has(i + 1))
      .map((i) =>
        element('circle', { cx: x.at(xs[i]), cy: y.at(points[i]), r: strong ? 3.2 : 2.6, fill: color }),
      );
    return { strong, svg: stroke + circles.join('') };
  });
  // strong lines lie on top
  return [...drawn.filter(({ strong }) => !strong), ...drawn.filter(({ strong }) => strong)].map(
    ({ svg }) => svg,
  );
}

function drawEmpty({ left, right, top, bottom }: Box): string {
  const middle = { x: (left + right) / 2, y: (top + bottom) / 2, 'text-anchor': 'middle' };
  return label('no values', { ...middle, 'font-size': 14, fill: ink.soft });
}

/** What there is to name, each with its last point. */
function entriesOf(
  { x: xs, series, bands = [] }: LineChartOptions,
  { x, y }: Pick<Plot, 'x' | 'y'>,
): Entry[] {
  const endOf = (value: (i: number) => number) => {
    const last = indicesOf(xs)
      .filter((i) => Number.isFinite(x.at(xs[i]) + value(i)))
      .at(-1);
    return last === undefined ? undefined : { x: x.at(xs[last]), y: value(last) };
  };
  const lines = series.map((one, order) => ({
    ...{ name: one.name, color: colorOf(one, order), strong: one.strong ?? false },
    shape: one.dashed ? ('dashes' as const) : ('line' as const),
    end: endOf((i) => y.at(one.points[i])),
  }));
  const areas = bands.map(({ name, low, high, color = 'blue' as Color }) => ({
    ...{ name, color, strong: false, shape: 'area' as const },
    end: endOf((i) => (y.at(low[i]) + y.at(high[i])) / 2),
  }));
  return [...lines, ...areas].flatMap(({ end, ...entry }) =>
    end === undefined ? [] : [{ ...entry, ...end }],
  );
}

function colorOf({ color }: LineSeries, order: number): Color {
  return color ?? colors[(order + 1) % colors.length];
}

function indicesOf(xs: ArrayLike<number>): number[] {
  return Array.from({ length: xs.length }, (_, i) => i);
}
