import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spread } from '../../src/evaluate/legend.ts';
import { type LineChartOptions, lineChart } from '../../src/evaluate/plot.ts';

const base: LineChartOptions = {
  title: 'Errors',
  x: [1, 2, 3, 4, 5],
  series: [
    { name: 'model', points: [1, 2, 3, 4, 5] },
    { name: 'ridge', points: [2, 3, 4, 5, 6] },
  ],
  xLabel: 'step',
  yLabel: 'MAE',
};

/** Every element of a name, as its attributes and its text. */
function elements(svg: string, name: string) {
  const pattern = new RegExp(`<${name}\\b([^>]*?)(?:/>|>([^<]*)</${name}>)`, 'g');
  return [...svg.matchAll(pattern)].map(([, attributes, text]) => ({
    text: text ?? '',
    ...Object.fromEntries(
      [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    ),
  })) as ({ text: string } & Record<string, string>)[];
}

/** The paths that are lines of series, not axes, grid or leaders. */
function seriesPaths(svg: string) {
  return elements(svg, 'path').filter((path) => path['stroke-linejoin'] === 'round');
}

function texts(svg: string): string[] {
  return elements(svg, 'text').map(({ text }) => text);
}

/** Throws where a tag is opened and not closed. */
function checkTags(svg: string): void {
  const open: string[] = [];
  for (const [tag, close, name, attributes, selfClosing] of svg.matchAll(
    /<(\/?)([\w]+)((?:\s+[\w-]+="[^"<>]*")*)(\/?)>/g,
  )) {
    if (selfClosing) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name || attributes !== '') throw new Error(`unexpected ${tag}`);
  }
  if (open.length > 0) throw new Error(`${open} not closed`);
  const left = svg.replace(/<(\/?)([\w]+)((?:\s+[\w-]+="[^"<>]*")*)(\/?)>/g, '');
  if (/[<>]|&(?!(amp|lt|gt|quot);)/.test(left)) throw new Error('an unescaped character');
}

describe('a line chart', () => {
  test('is one SVG of the size that was asked for, the same for the same numbers', () => {
    const svg = lineChart(base);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 800 400" width="800" height="400"/,
    );
    expect(lineChart(base)).toBe(svg);
    expect(lineChart({ ...base, width: 500, height: 300 })).toContain('viewBox="0 0 500 300"');
    checkTags(svg);
  });

  test('says its title, subtitle, axes and names', () => {
    expect(texts(lineChart({ ...base, subtitle: 'test part' }))).toEqual(
      expect.arrayContaining(['Errors', 'test part', 'step', 'MAE', 'model', 'ridge']),
    );
  });

  test('escapes every text', () => {
    const name = `<b> & "c" \u0007`;
    const svg = lineChart({
      ...base,
      title: name,
      yLabel: name,
      series: [{ name, points: [1, 2, 3, 4, 5] }],
      marks: [{ x: 2, label: name }],
    });
    checkTags(svg);
    expect(svg).toContain('&lt;b&gt; &amp; &quot;c&quot;  ');
    expect(svg).not.toContain('\u0007');
  });

  test('breaks a line where a value is missing, and draws a value alone as a dot', () => {
    const svg = lineChart({
      ...base,
      x: [1, 2, 3, 4, 5, 6],
      series: [{ name: 'a', points: [1, 2, Number.NaN, 3, Number.NaN, 5] }],
    });
    const [path] = seriesPaths(svg);
    expect(path.d.match(/M/g)).toHaveLength(3);
    expect(elements(svg, 'circle')).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });

  test('draws larger values higher and later ones to the right', () => {
    const [path] = seriesPaths(lineChart({ ...base, series: [{ name: 'a', points: [1, 2, 3, 4, 5] }] }));
    const points = path.d
      .slice(1)
      .split('L')
      .map((point) => point.split(',').map(Number));
    for (let i = 1; i < points.length; i++) {
      expect(points[i][0]).toBeGreaterThan(points[i - 1][0]);
      expect(points[i][1]).toBeLessThan(points[i - 1][1]);
    }
  });

  test('names lines at their ends, right of every line and apart from each other', () => {
    const svg = lineChart({
      ...base,
      series: ['a', 'b', 'c', 'd'].map((name) => ({ name, points: [1, 1, 1, 1, 1] })),
    });
    const labels = elements(svg, 'text').filter(({ text }) => 'abcd'.includes(text));
    const rows = labels.map(({ y }) => Number(y)).sort((a, b) => a - b);
    for (let i = 1; i < rows.length; i++) expect(rows[i] - rows[i - 1]).toBeGreaterThanOrEqual(16);
    const ends = seriesPaths(svg).map(({ d }) => Number(d.split('L').at(-1)?.split(',')[0]));
    for (const { x } of labels) expect(Number(x)).toBeGreaterThan(Math.max(...ends));
  });

  test('names lines in a legend above when one of them ends early', () => {
    const svg = lineChart({
      ...base,
      series: [...base.series, { name: 'short', points: [1, 2, Number.NaN, Number.NaN, Number.NaN] }],
    });
    const legend = elements(svg, 'text').filter(({ text }) => ['model', 'ridge', 'short'].includes(text));
    const top = Math.min(
      ...seriesPaths(svg).flatMap(({ d }) =>
        d
          .slice(1)
          .split(/[LM]/)
          .map((point) => Number(point.split(',')[1])),
      ),
    );
    expect(legend).toHaveLength(3);
    for (const { y } of legend) expect(Number(y)).toBeLessThan(top);
  });

  test('puts powers of ten on a logarithmic axis and leaves out what has no logarithm', () => {
    const points = [1, 1e-3, 0, 1e-6, 1e-9];
    const svg = lineChart({ ...base, yKind: 'log', series: [{ name: 'a', points }] });
    expect(texts(svg)).toEqual(expect.arrayContaining(['1', '10⁻²', '10⁻⁴']));
    expect(seriesPaths(svg)[0].d.match(/M/g)).toHaveLength(2);
    const narrow = lineChart({
      ...base,
      yKind: 'log',
      series: [{ name: 'a', points: [0.02, 0.03, 0.05, 0.08, 0.1] }],
    });
    expect(texts(narrow)).toEqual(expect.arrayContaining(['0.02', '0.05', '0.1']));
  });

  test.each([
    ['a day', 3_600_000, ['06:00', '12:00']],
    ['a month', 30 * 3_600_000, ['6 Jan', '13 Jan']],
    ['two years', 730 * 3_600_000, ['Jan 2013', 'Jan 2014']],
    ['some seconds', 500, ['00:00:04']],
  ])('writes the time over %s as people do', (_, stepMs, expected) => {
    const x = Array.from({ length: 24 }, (_, i) => Date.UTC(2013, 0, 1) + i * stepMs);
    const shown = texts(
      lineChart({ ...base, x, xKind: 'time', series: [{ name: 'a', points: x.map(() => 1) }] }),
    );
    for (const text of expected) expect(shown).toContain(text);
  });

  test('marks an x, and keeps the text inside the plot', () => {
    const svg = lineChart({ ...base, marks: [{ x: 1, label: 'a very long word for the beginning' }] });
    const [text] = elements(svg, 'text').filter(({ text }) => text.startsWith('a very'));
    expect(Number(text.x)).toBeGreaterThan(100);
  });

  test('draws an area between two lines, only where both are', () => {
    const low = [0, 1, Number.NaN, 3, 4];
    const svg = lineChart({ ...base, bands: [{ name: '80 %', low, high: [1, 2, 3, 4, 5] }] });
    const [band] = elements(svg, 'path').filter((path) => path['fill-opacity'] === '0.2');
    expect(band.d.match(/Z/g)).toHaveLength(2);
    expect(texts(svg)).toContain('80 %');
  });

  test.each([
    ['nothing at all', [], []],
    ['only gaps', [1, 2], [Number.NaN, Number.NaN]],
    ['one point', [1], [5]],
    ['a constant', [1, 2, 3], [5, 5, 5]],
    ['huge and tiny', [1, 2, 3], [1e-300, 1e300, 5]],
    ['infinity', [1, 2, 3], [1, Number.POSITIVE_INFINITY, 5]],
  ])('has an answer for %s', (_, x, points) => {
    for (const yKind of ['linear', 'log'] as const) {
      const svg = lineChart({ ...base, x, yKind, series: [{ name: 'a', points }] });
      checkTags(svg);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  test('says so when there is nothing to show', () => {
    expect(texts(lineChart({ ...base, series: [{ name: 'a', points: [] }] }))).toContain('no values');
  });
});

test('labels that are moved apart keep their order, their distance and the room they have', () => {
  const positions = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(positions, (unsorted) => {
      const sorted = [...unsorted].sort((a, b) => a - b);
      const places = spread(sorted, { gap: 17, min: 0, max: 300 });
      expect(places).toHaveLength(sorted.length);
      places.forEach((place, i) => {
        expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeLessThanOrEqual(300.001);
        if (i > 0) expect(place - places[i - 1]).toBeGreaterThan(16.999);
      });
    }),
    { seed: 1 },
  );
  expect(spread([10, 100, 200], { gap: 17, min: 0, max: 300 })).toEqual([10, 100, 200]);
});
