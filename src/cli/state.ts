import { loadServiceConfig, type ServiceConfig } from '../config/service.ts';
import type { Engine } from '../engine/engine.ts';
import { openModelShelf } from '../service/model-shelf.ts';
import { type StoredStates, withStoredStates } from '../service/stored-states.ts';
import { formatTime } from '../signal/times.ts';
import type { Report, StateArguments, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { chooseServingModel } from './serving-model.ts';
import { formatTable } from './table.ts';
import { readTrustedKeys } from './trusted-keys.ts';
import { UsageError } from './usage-error.ts';

/** Looks at the states that a stopped service has left on disk, takes some of them elsewhere, brings some in, or forgets
 * them. */
export async function runState(args: StateArguments, terminal: Terminal): Promise<Report> {
  const text = new TextDecoder().decode(readInputFile(args.config, 'config'));
  const config = loadServiceConfig(text, args.config);
  const { stateDir, maxStreams, latenessMs, combine } = config;
  const engine = await loadServing(config, terminal);
  const options = { folder: stateDir, engine, maxStreams, latenessMs, combine, onDamage: terminal.warn };
  const report = await withStoredStates(options, (states) => actions[args.action](states, args));
  const { name, version, release } = engine.model;
  return {
    summary: { model: engine.id, ...report.summary },
    text: `${report.text}\nmodel: ${name} ${version} (release ${release}, ${engine.id.slice(0, 16)})`,
  };
}

/** The model that the next start serves, which is perhaps not that of the config: the states are its own. */
async function loadServing(config: ServiceConfig, terminal: Terminal): Promise<Engine> {
  const shelf = openModelShelf(config.stateDir, config.name);
  const { engine } = await chooseServingModel(config, {
    shelf,
    keys: readTrustedKeys(config.models.trust),
    // whether an unfit one may serve is said at its first start
    takesUnfit: shelf.read() === undefined,
    log: {
      error: (fields, message) => terminal.warn(`${message}: ${(fields as { reason?: string }).reason}`),
    },
  });
  return engine;
}

type Action = (states: StoredStates, args: StateArguments) => Promise<Report>;

const actions: Readonly<Record<StateArguments['action'], Action>> = {
  ls: list,
  export: exportTo,
  import: importFrom,
  reset,
};

async function list(states: StoredStates, args: StateArguments): Promise<Report> {
  const rows = chosen(states, args).map((stream) => {
    const record = states.monitor.find(stream);
    const isAnswered = record?.answer !== undefined;
    return {
      stream,
      ...(isAnswered && { time: formatTime(record.answeredMs), health: record.health }),
    };
  });
  const table = formatTable(
    ['stream', 'newest frame', 'health'],
    rows.map(({ stream, time, health }) => [stream, time, health]),
  );
  return { summary: { count: rows.length, streams: rows }, text: `${table}\n${count(rows.length)}` };
}

async function exportTo(states: StoredStates, args: StateArguments): Promise<Report> {
  const file = fileOf(args);
  const streams = await states.write(chosen(states, args), file);
  return { summary: { file, streams }, text: `${count(streams)} written to ${file}` };
}

async function importFrom(states: StoredStates, args: StateArguments): Promise<Report> {
  const file = fileOf(args);
  const names = states.read(readInputFile(file, 'states'), file);
  await states.write(states.memory.table.streams.keys());
  return { summary: { file, streams: names.length }, text: `${count(names.length)} read from ${file}` };
}

async function reset(states: StoredStates, args: StateArguments): Promise<Report> {
  const gone = new Set(chosen(states, args));
  const kept = [...states.memory.table.streams.keys()].filter((name) => !gone.has(name));
  await states.write(kept);
  return {
    summary: { reset: gone.size, streams: kept.length },
    text: `${count(gone.size)} will start cold; ${count(kept.length)} kept`,
  };
}

/** Those that were named, or all. */
function chosen({ memory }: StoredStates, { stream }: StateArguments): string[] {
  const { streams } = memory.table;
  if (stream === undefined) return [...streams.keys()].sort();
  const unknown = stream.find((name) => !streams.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `no state of a stream ${JSON.stringify(unknown)}; there are ${streams.size}: see state ls`,
    );
  }
  return [...stream];
}

function fileOf({ action, file }: StateArguments): string {
  if (file !== undefined) return file;
  throw new UsageError(`state ${action} wants a file: cellstream state ${action} CONFIG.yaml FILE`);
}

function count(streams: number): string {
  return streams === 1 ? '1 stream' : `${streams} streams`;
}
