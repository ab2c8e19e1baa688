import { basename, dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { parseDuration } from '../signal/duration.ts';
import { hidePlaces, showPlaces } from './places.ts';
import { reportProblems, validate } from './problems.ts';
import { checkServiceRules } from './service-rules.ts';
import { serviceSchema } from './service-schema.ts';
import { readYaml } from './yaml.ts';

type Parsed = z.output<typeof serviceSchema>;

/** One entry of `subscribe`. */
export type Subscription = Readonly<Parsed['subscribe'][number]> & {
  /** Where it stands, for messages: `plant.yaml:4`. */
  readonly at: string;
};

/** The broker as a config or the command line names it; the paths of files are resolved. */
export interface BrokerSettings {
  readonly url: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly protocol: 'auto' | '5' | '3.1.1';
}

/** A config with every default filled in. What is absent follows from the model. */
export interface ServiceConfig {
  readonly name: string;
  /** Resolved against the folder of the config, as all paths are. */
  readonly model: string;
  readonly broker: BrokerSettings;
  readonly clientId: string;
  readonly subscribe: readonly Subscription[];
  readonly publish: Readonly<Parsed['publish']> & { readonly at: string };
  readonly combine?: NonNullable<Parsed['combine']>;
  readonly latenessMs: number;
  readonly staleAfterMs?: number;
  readonly maxStreams: number;
  readonly threads: number;
  readonly stateDir: string;
  /** How often states go to disk; undefined: they stay in memory. */
  readonly commitMs: number | undefined;
  /** When messages of QoS 1 are acknowledged. */
  readonly ack: Parsed['state']['ack'];
  readonly models: ModelsConfig;
  readonly dashboard?: { readonly host: string; readonly port: number; readonly tokenFile?: string };
}

/** How new models come. */
interface ModelsConfig {
  /** Files of public keys; without any a model on disk needs no signature. */
  readonly trust: readonly string[];
  readonly topic?: string;
  /** 0: a new model serves at once. */
  readonly shadowMs: number;
}

/** Reads a config file.
 * @throws ConfigError with a line `path:line: key: what was found, expected, fix` for everything that is wrong */
export function loadServiceConfig(text: string, path: string): ServiceConfig {
  const { value, place } = readYaml(hidePlaces(text), path);
  const parsed = validate(serviceSchema, showPlaces(value), place);
  reportProblems(checkServiceRules(parsed), place);
  const folder = dirname(path);
  const { subscribe, publish, broker, lateness, staleAfter, state, combine, maxStreams, dashboard, threads } =
    parsed;
  const name = parsed.name ?? nameOf(path);
  return {
    ...{ name, maxStreams, threads },
    model: resolve(folder, parsed.model),
    broker: resolveBroker(broker, folder),
    clientId: broker.clientId ?? `cellstream-${name}`,
    subscribe: subscribe.map((entry, i) => ({ ...entry, at: place(['subscribe', i]).text })),
    publish: { ...publish, at: place(['publish']).text },
    latenessMs: lateness === undefined ? 0 : (parseDuration(lateness) as number),
    stateDir: resolve(folder, state.dir ?? `${name}.state`),
    commitMs: state.commit === 'off' ? undefined : parseDuration(state.commit),
    ack: state.ack,
    models: resolveModels(parsed.models, folder),
    ...(combine !== undefined && { combine }),
    ...(staleAfter !== undefined && { staleAfterMs: parseDuration(staleAfter) as number }),
    ...(dashboard !== undefined && { dashboard: resolvePage(dashboard, folder) }),
  };
}

function resolvePage(
  { host, port, token_file }: NonNullable<Parsed['dashboard']>,
  folder: string,
): NonNullable<ServiceConfig['dashboard']> {
  return { host, port, ...(token_file !== undefined && { tokenFile: resolve(folder, token_file) }) };
}

function resolveModels({ trust, topic, shadow }: Parsed['models'], folder: string): ModelsConfig {
  return {
    trust: trust.map((file) => resolve(folder, file)),
    ...(topic !== undefined && { topic }),
    shadowMs: shadow === 'off' ? 0 : (parseDuration(shadow) as number),
  };
}

function resolveBroker(
  { clientId: _, password_file, ...broker }: Parsed['broker'],
  folder: string,
): BrokerSettings {
  const { ca, cert, key, ...rest } = broker;
  const inFolder = (file: string) => resolve(folder, file);
  return {
    ...rest,
    ...(password_file !== undefined && { passwordFile: inFolder(password_file) }),
    ...(ca !== undefined && { ca: inFolder(ca) }),
    ...(cert !== undefined && { cert: inFolder(cert) }),
    ...(key !== undefined && { key: inFolder(key) }),
  };
}

/** The file's name, made fit for topics and client ids. */
function nameOf(path: string): string {
  const words = basename(path, extname(path)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return words.replace(/^[._-]+|-+$/g, '').slice(0, 64) || 'service';
}

/** A JSON Schema for editors. */
export function serviceJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(serviceSchema, { io: 'input' }), title: 'cellstream service' };
}
