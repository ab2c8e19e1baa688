import { existsSync } from 'node:fs';
import { loadServiceConfig, type ServiceConfig } from '../config/service.ts';
import type { Engine } from '../engine/engine.ts';
import { nearestName } from '../math/nearest.ts';
import { openModelShelf } from '../service/model-shelf.ts';
import { type StoredStates, withStoredStates } from '../service/stored-states.ts';
import { nameOfState } from '../service/stream-state.ts';
import { formatTime } from '../signal/times.ts';
import { parseSnapshot } from '../state/snapshot.ts';
import { StateError } from '../state/state-error.ts';
import type { Report, StateArguments, Terminal } from './command.ts';
import { checkExportFile } from './export-file.ts';
import { readInputFile } from './input-file.ts';
import { chooseServingModel } from './serving-model.ts';
import { formatTable } from './table.ts';
import { readTrustedKeys } from './trusted-keys.ts';
import { UsageError } from './usage-error.ts';

/** Of an error that names what there is. */
const mostNamed = 5;

/** Looks at the states that a stopped service has left on disk, takes some of them elsewhere, brings some in, or forgets
 * them. */
export async function runState(args: StateArguments, terminal: Terminal): Promise<Report> {
  checkArguments(args);
  const text = new TextDecoder().decode(readInputFile(args.config, 'config'));
  const config = loadServiceConfig(text, args.config);
  checkKept(config, args.config);
  if (args.action === 'export') checkExportFile(fileOf(args));
  const { stateDir: folder, maxStreams, latenessMs, combine } = config;
  const loadEngine = () => loadServing(config, terminal);
  return await withStoredStates(
    { folder, loadEngine, maxStreams, latenessMs, combine, onDamage: terminal.warn },
    async (states) => {
      const { summary, text } = await actions[args.action](states, args);
      const { model, id } = states.engine;
      return {
        summary: { model: id, ...summary },
        text: `${text}\nmodel: ${model.name} ${model.version} (release ${model.release}, ${id.slice(0, 16)})`,
      };
    },
  );
}

/** A word too many, or an option too few, may not end in streams that start cold. */
function checkArguments({ action, file, stream, all }: StateArguments): void {
  const takesFile = action === 'export' || action === 'import';
  if (!takesFile && file !== undefined)
    throw new UsageError(`state ${action} takes no file, found ${file}; did you mean --stream ${file}?`);
  if (all && (action !== 'reset' || stream !== undefined)) {
    throw new UsageError(
      action === 'reset'
        ? 'found --all and --stream, expected one of them'
        : `--all is for state reset; state ${action} takes every stream without --stream`,
    );
  }
  if (action === 'reset' && stream === undefined && !all) {
    throw new UsageError(
      'state reset wants to know what starts cold: --stream NAME, or several, or --all for every stream',
    );
  }
}

/** Whether a service of this config leaves states behind. */
function checkKept({ commitMs, stateDir }: ServiceConfig, path: string): void {
  if (commitMs === undefined) {
    throw new UsageError(
      `${path} has state.commit: off, which keeps states in memory alone: there is nothing on disk to work on`,
    );
  }
  if (!existsSync(stateDir)) {
    throw new UsageError(`there is no state folder ${stateDir}: no service of ${path} has started yet`);
  }
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
  const bytes = readInputFile(file, 'file of states');
  try {
    const there = () => parseSnapshot(Buffer.from(bytes), file).states.map(nameOfState);
    const names = await states.read(bytes, file, args.stream && pick(args.stream, there(), file));
    return { summary: { file, streams: names.length }, text: `${count(names.length)} read from ${file}` };
  } catch (error) {
    throw error instanceof StateError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function reset(states: StoredStates, args: StateArguments): Promise<Report> {
  const gone = chosen(states, args);
  await states.forget(gone);
  const kept = states.memory.table.streams.size - gone.length;
  return {
    summary: { reset: gone.length, streams: kept },
    text: `${count(gone.length)} will start cold; ${count(kept)} kept`,
  };
}

/** Those that were named, or all. */
function chosen({ memory }: StoredStates, { stream, config }: StateArguments): string[] {
  const there = [...memory.table.streams.keys()].sort();
  return stream === undefined ? there : pick(stream, there, config);
}

/** Each once.
 * @param place whose streams they are, for messages */
function pick(wanted: readonly string[], there: readonly string[], place: string): string[] {
  const known = new Set(there);
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown === undefined) return [...new Set(wanted)];
  const nearest = nearestName(unknown, there);
  const more = there.length > mostNamed ? ', ...' : '';
  const found =
    there.length === 0 ? 'none' : `${there.length}: ${there.slice(0, mostNamed).join(', ')}${more}`;
  throw new UsageError(
    `no state of a stream ${JSON.stringify(unknown)} in ${place}, which has ${found}` +
      (nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`),
  );
}

function fileOf({ action, file }: StateArguments): string {
  if (file !== undefined) return file;
  throw new UsageError(`state ${action} wants a file: cellstream state ${action} CONFIG.yaml FILE`);
}

function count(streams: number): string {
  return streams === 1 ? '1 stream' : `${streams} streams`;
}
