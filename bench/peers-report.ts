import { errorSteps, type ModelErrors } from './int8-error.ts';
import { machine, measureTable, tableOf, writeSection } from './results.ts';
import { type Measure, significant } from './rounds.ts';
import { LARGEST_BATCH } from './step-run.ts';
import type { ShapeTimes, StepTime } from './step-shapes.ts';

export interface PeersResults {
  readonly measures: readonly Measure[];
  readonly shapes: readonly ShapeTimes[];
  readonly errors: readonly ModelErrors[];
}

/** For a reader, into bench/RESULTS.md. */
export async function writePeers({ measures, shapes, errors }: PeersResults): Promise<void> {
  const single = shapes.filter(({ streams }) => streams === 1);
  const counts = [...new Set(shapes.map(({ streams }) => streams))].filter((streams) => streams > 1);
  await writeSection('Peers', [
    'Written by `npm run bench -- peers --write`, after `npm ci --prefix bench/peers`, with `PYTHON` naming an',
    'interpreter that has PyTorch and LiteRT, and gcc. All of a table ran in turns in one run: compare inside it, not between two',
    'machines. Medians.',
    '',
    `${machine()}.`,
    ...section('Goals', measureTable(measures)),
    ...section('One stream: microseconds a step (I = 8, one answer, the state fed back)', [
      ...shapeTable(single, ({ us }) => us),
      '',
      '`cellstream` is the step from inputs to answer, `session` the way from a raw frame to its forecast. `1000 steps a',
      'call` times a kernel without its calls, which nobody who streams can do without. `products alone` are the two',
      `matrix products of the step in C, at ${single.map(gmacsOf).filter(Boolean).join(', ')} GMAC/s.`,
    ]),
    ...counts.flatMap((streams) =>
      section(`${streams.toLocaleString('en')} streams: thousand stream-steps a second`, [
        ...shapeTable(
          shapes.filter((shape) => shape.streams === streams),
          ({ us }) => significant(1000 / us),
        ),
        ...(streams > LARGEST_BATCH
          ? ['', `Ours takes ${LARGEST_BATCH} streams a call, as a service would, the peers all of them.`]
          : []),
      ]),
    ),
    ...(errors.length > 0
      ? section('What int8 costs: relative error of h and of y, in percent', errorTable(errors))
      : []),
  ]);
}

const section = (title: string, lines: readonly string[]): string[] => ['', `### ${title}`, '', ...lines];

function gmacsOf({ rows }: ShapeTimes): string | undefined {
  return rows.find(({ team }) => team === 'c products')?.gmacs.toFixed(0);
}

/** A row a contestant, a column an H. */
function shapeTable(shapes: readonly ShapeTimes[], cell: (time: StepTime) => number): string[] {
  const names = [...new Set(shapes.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  const rows = names.map((name) => [
    name,
    ...shapes.map((shape) => {
      const time = shape.rows.find((row) => row.name === name);
      return time && cell(time);
    }),
  ]);
  return tableOf(['', ...shapes.map(({ hidden }) => `H=${hidden}`)], rows);
}

function errorTable(errors: readonly ModelErrors[]): string[] {
  const percent = (value: number) => Number((100 * value).toPrecision(3));
  const header = errorSteps.flatMap((steps) =>
    ['h', 'y'].flatMap((part) => [`${part}, ${steps} steps`, 'onnxruntime']),
  );
  const rows = errors.map(({ name, ours, onnx }) => [
    name,
    ...errorSteps.flatMap((_, i) =>
      (['h', 'y'] as const).flatMap((part) => [percent(ours[i][part]), percent(onnx[i][part])]),
    ),
  ]);
  return tableOf(['', ...header], rows);
}
