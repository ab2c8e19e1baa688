import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import { DataError } from '../src/data/data-error.ts';
import { readModelFile, writeModelFile } from '../src/model/format.ts';
import { readCount, readCounts } from './arguments.ts';
import { copySnapshot, type Filled, fillFolder } from './recovery-fill.ts';
import { type Start, timeStart } from './recovery-start.ts';
import { machine, tableOf, writeSection } from './results.ts';
import { median, significant, takeTurns } from './rounds.ts';
import { startBroker } from './service-broker.ts';
import { createServedModel } from './service-contestants.ts';

const options = {
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '5' },
  streams: { type: 'string', default: '1000,10000,100000' },
  hidden: { type: 'string', default: '32' },
  model: { type: 'string' },
} as const;

interface RecoveryRow extends Filled {
  readonly streams: number;
  /** Medians of the starts. */
  readonly startMs: number;
  readonly emptyMs: number;
  /** Of the starts of the same round, one less the other. */
  readonly recoveryMs: number;
  /** The same with the snapshot alone. */
  readonly restoreMs: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly emptyRssMb: number;
}

/** Where the service of a size lies, and what it is started with. */
interface Plant {
  readonly folder: string;
  readonly port: number;
  readonly model: string;
  readonly streams: number;
}

/** The table over sizes of a state folder. */
export async function benchRecovery(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = readCount('rounds', values.rounds);
  const sizes = readCounts('streams', values.streams);
  const hidden = readCount('hidden', values.hidden);
  const { bytes, title } = readModel(values.model, hidden);
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-recovery-'));
  const broker = await startBroker(folder);
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  try {
    const model = join(folder, 'model.pb');
    writeFileSync(model, bytes);
    const rows: RecoveryRow[] = [];
    for (const streams of sizes) {
      const plant = { folder: join(folder, String(streams)), port: broker.port, model, streams };
      rows.push(await measure(plant, client, rounds));
      rmSync(plant.folder, { recursive: true });
    }
    if (values.write) await writeResults(title, rows, rounds);
    if (values.json) console.log(JSON.stringify({ model: title, rows }));
    else console.log(tableLines(rows).join('\n'));
  } finally {
    await client.endAsync();
    broker.stop();
    rmSync(folder, { recursive: true });
  }
}

function readModel(file: string | undefined, hidden: number): { bytes: Uint8Array; title: string } {
  if (file === undefined) {
    const bytes = writeModelFile(createServedModel({ hidden, horizons: [1] }));
    return { bytes, title: `int8 LSTM of one feature, H=${hidden}` };
  }
  if (!existsSync(file)) throw new DataError(`no file ${resolve(file)}; --model names a .pb file`);
  const bytes = readFileSync(file);
  const { architecture, input } = readModelFile(bytes).model;
  return { bytes, title: `${file}, ${input.features} features, H=${architecture.hidden}` };
}

async function measure(plant: Plant, client: MqttClient, rounds: number): Promise<RecoveryRow> {
  const { folder, model, streams } = plant;
  mkdirSync(folder);
  console.error(`${streams} streams: filling a folder`);
  const filled = await fillFolder(join(folder, 'filled.state'), readFileSync(model), streams);
  console.error(`${streams} streams: ${describe(filled)}; ${rounds + 1} starts of each kind`);
  await copySnapshot(join(folder, 'filled.state'), join(folder, 'snapshot.state'));
  const starts: Record<'empty' | 'filled' | 'snapshot', Start[]> = { empty: [], filled: [], snapshot: [] };
  const contestant = (name: keyof typeof starts, known: number) => ({
    async turn() {
      const config = writeConfig(name, plant);
      if (name === 'empty') rmSync(join(folder, 'empty.state'), { recursive: true, force: true });
      const start = await timeStart(client, config, `cellstream/${name}/status`);
      if (start.streams !== known)
        throw new Error(`the service came back with ${start.streams} streams, expected ${known}`);
      console.error(
        `${streams} streams, ${name}: ${start.onlineMs.toFixed(0)} ms, ${start.rssMb.toFixed(0)} MB`,
      );
      starts[name].push(start);
      return [start.onlineMs];
    },
  });
  const [filledMs, snapshotMs, emptyMs] = await takeTurns(
    [contestant('filled', streams), contestant('snapshot', streams), contestant('empty', 0)],
    rounds,
  );
  const longer = (times: readonly number[]) => median(times.map((ms, round) => ms - emptyMs[round]));
  const middle = (name: keyof typeof starts, field: 'rssMb' | 'peakMb') =>
    median(starts[name].slice(1).map((start) => start[field]));
  return {
    ...{ streams, ...filled },
    startMs: median(filledMs),
    emptyMs: median(emptyMs),
    recoveryMs: longer(filledMs),
    restoreMs: longer(snapshotMs),
    rssMb: middle('filled', 'rssMb'),
    peakMb: middle('filled', 'peakMb'),
    emptyRssMb: middle('empty', 'rssMb'),
  };
}

function describe({ snapshotBytes, snapshotMs, logBytes, readings }: Filled): string {
  return (
    `a snapshot of ${inMb(snapshotBytes)} MB in ${snapshotMs.toFixed(0)} ms, ` +
    `${inMb(logBytes)} MB of log with ${readings} readings`
  );
}

function writeConfig(name: string, { folder, port, model, streams }: Plant): string {
  const config = join(folder, `${name}.yaml`);
  const lines = [
    `model: ${model}`,
    `broker: { url: "mqtt://127.0.0.1:${port}" }`,
    `subscribe:\n  - { topic: "plant/{stream}/telemetry", qos: 1 }`,
    'publish: { topic: "forecast/{stream}" }',
    `maxStreams: ${streams}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

const inMb = (bytes: number): number => significant(bytes / 1e6);
const inSeconds = (ms: number): number => significant(ms / 1e3);

function tableLines(rows: readonly RecoveryRow[]): string[] {
  const header = [
    ...[
      'streams',
      'recovery, s',
      'snapshot alone, s',
      'start, s',
      'start with nothing, s',
      'snapshot, MB',
      'written in, s',
    ],
    ...['log, MB', 'its readings', 'RSS, MB', 'peak, MB', 'RSS with nothing, MB'],
  ];
  return tableOf(
    header,
    rows.map((row) => [
      row.streams.toLocaleString('en'),
      ...[row.recoveryMs, row.restoreMs, row.startMs, row.emptyMs].map(inSeconds),
      ...[inMb(row.snapshotBytes), inSeconds(row.snapshotMs), inMb(row.logBytes)],
      row.readings.toLocaleString('en'),
      ...[row.rssMb, row.peakMb, row.emptyRssMb].map((mb) => mb.toFixed(0)),
    ]),
  );
}

async function writeResults(title: string, rows: readonly RecoveryRow[], rounds: number): Promise<void> {
  await writeSection(`Recovery: ${title}`, [
    'Written by `npm run bench -- recovery --write`, with mosquitto. From the spawn of `cellstream run` to its `online` at the',
    `broker, medians of ${rounds} starts of each kind in turns; recovery is what a start takes longer than one with an empty`,
    'folder. `snapshot alone` is without a log behind it; the rest is the log, step for step. The log is as long as a service',
    'leaves it: one commit more begins a new snapshot. The files are in the page cache.',
    '',
    `${machine()}.`,
    '',
    ...tableLines(rows),
  ]);
}
