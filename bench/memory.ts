import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { readModelFile, writeModelFile } from '../src/model/format.ts';
import { createModel } from '../test/fixtures/random-model.ts';
import { findPort } from '../test/mqtt/ports.ts';
import { type Installation, installPackage } from './memory-install.ts';
import { measureRss, measureStart, type ServedModel } from './memory-service.ts';
import { significant } from './rounds.ts';
import { startBroker } from './service-broker.ts';

/** Of the service, and of a bare Node beside it where that has one. */
export interface MemoryRow {
  readonly name: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  /** In the unit of `ours`; absent where no target was set. */
  readonly must?: number;
  readonly aim?: number;
  readonly lowerIsBetter: true;
}

const streams = 10_000;
/** The shortest of some starts: what else runs on the machine only adds. */
const STARTS = 5;

/** The package and its production install on disk, memory with 10,000 streams, and the way to the first forecast. */
export async function benchMemory(args: readonly string[]): Promise<MemoryRow[]> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-memory-'));
  const broker = await startBroker(folder);
  try {
    const installation = installPackage(join(folder, 'device'));
    const random = writeRandomModel(folder);
    const weather = shippedModel(installation);
    const bare = measureBare();
    const service = (model: ServedModel, page?: number) => ({
      ...{ installation, folder, port: broker.port, streams, model, page },
    });
    const rows: MemoryRow[] = [
      row('package, MB', installation.packageMb, null),
      row('production install, MB', installation.installedMb, null, { must: 55, aim: 40 }),
    ];
    for (const [name, model] of [
      ['int8 H=64', random],
      ['nyc-weather', weather],
    ] as const) {
      for (const page of [false, true]) {
        const rssMb = await measureRss(service(model, page ? await findPort() : undefined));
        const goal = model === random ? { must: 160, aim: 120 } : {};
        const what = `RSS, ${streams} streams of ${name}, ${page ? 'with the page' : 'no page'}, MB`;
        rows.push(row(what, rssMb, bare.rssMb, goal));
      }
    }
    const soon = { must: 1, aim: 0.6 };
    const starts: number[] = [];
    for (let i = 0; i < STARTS; i++) starts.push(await measureStart(service(random)));
    rows.push(
      row('service, start to first forecast, s', Math.min(...starts) / 1e3, bare.startMs / 1e3, soon),
    );
    const library = await measureLibrary(installation, random);
    rows.push(row('library, start to first forecast, s', library / 1e3, bare.startMs / 1e3, soon));
    if (values.json) console.log(JSON.stringify({ measures: rows }));
    else console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
    return rows;
  } finally {
    broker.stop();
    rmSync(folder, { recursive: true });
  }
}

function row(
  name: string,
  ours: number,
  peer: number | null,
  goal: Pick<MemoryRow, 'must' | 'aim'> = {},
): MemoryRow {
  const ratio = peer && significant(ours / peer);
  return {
    ...{ name, ours: significant(ours), peer: peer && significant(peer), ratio },
    ...goal,
    lowerIsBetter: true,
  };
}

/** An int8 LSTM of one feature, P = 1 and I = 8. */
function writeRandomModel(folder: string): ServedModel {
  const shape = {
    features: 1,
    lags: [1, 2, 3, 6, 12, 24],
    averages: [24, 168],
    steps: 24,
    weights: 'int8',
  } as const;
  const model = createModel({ seed: 1, hidden: 64, ...shape });
  const file = join(folder, 'random.pb');
  writeFileSync(file, writeModelFile({ ...model, fit: true }));
  return { file, features: model.input.names };
}

function shippedModel({ root }: Installation): ServedModel {
  const file = join(root, 'models', 'nyc-weather', 'nyc-weather.pb');
  return { file, features: readModelFile(readFileSync(file)).model.input.names };
}

function measureBare(): { rssMb: number; startMs: number } {
  const program = 'console.log(process.memoryUsage.rss())';
  const runs = Array.from({ length: STARTS }, () => {
    const startMs = performance.now();
    const rss = Number(execFileSync(process.execPath, ['--eval', program], { encoding: 'utf8' }));
    return { rssMb: rss / 1e6, startMs: performance.now() - startMs };
  });
  return {
    rssMb: Math.min(...runs.map(({ rssMb }) => rssMb)),
    startMs: Math.min(...runs.map(({ startMs }) => startMs)),
  };
}

/** Milliseconds from the start of a program that imports the package to its first forecast. */
async function measureLibrary({ root }: Installation, { file, features }: ServedModel): Promise<number> {
  const library = pathToFileURL(join(root, 'dist', 'index.js')).href;
  const program = `
    import { readFileSync } from 'node:fs';
    import { loadModel } from ${JSON.stringify(library)};
    const engine = await loadModel(readFileSync(${JSON.stringify(file)}));
    const answer = engine.openSession().step({ timeMs: 0, values: ${JSON.stringify(features.map(() => 20))} });
    console.log(answer.kind);
  `;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < STARTS; i++) best = Math.min(best, await timeFirstLine(program));
  return best;
}

async function timeFirstLine(program: string): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await child.stdout.toArray();
  if (String(line) !== 'forecast\n') throw new Error(`found ${line}, expected a forecast`);
  return performance.now() - startMs;
}
