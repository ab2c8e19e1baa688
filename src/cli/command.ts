/** What a command has to say at its end: `summary` is the line of --json, `text` is for people. */
export interface Report {
  readonly summary: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What every command gets beside its arguments. It writes nothing to standard output: it returns a report. */
export interface Terminal {
  readonly json: boolean;
  /** No progress, no log lines; warnings stay. */
  readonly quiet: boolean;
  /** One line on standard error. */
  log(line: string): void;
  warn(line: string): void;
}

export const cells = ['feedforward', 'rnn', 'lstm', 'gru'] as const;
export const splits = ['train', 'validation', 'test'] as const;

export interface TrainArguments {
  /** RECIPE.yaml or DATA.csv. */
  readonly input: string;
  readonly target?: readonly string[];
  readonly time?: string;
  readonly stream?: string;
  readonly horizon?: number;
  readonly cell?: (typeof cells)[number];
  readonly out: string;
  readonly seed?: number;
  /** Of the search for a recipe that suits a CSV. */
  readonly budgetMs?: number;
  readonly refit: boolean;
  readonly resume: boolean;
}

export interface EvaluateArguments {
  readonly model: string;
  readonly data: string;
  readonly split: (typeof splits)[number];
  /** The float model to compare with. */
  readonly float?: string;
}

export interface GradientsArguments {
  readonly recipe: string;
  readonly out: string;
  /** How far back in time. */
  readonly steps: number;
  readonly seed?: number;
}

export interface ImportArguments {
  /** Safetensors or ONNX. */
  readonly weights: string;
  readonly spec: string;
  readonly out: string;
  /** A CSV that intervals come from, and on which int8 is measured. */
  readonly calibrate?: string;
}

export interface InspectArguments {
  readonly model: string;
}

/** How a tool reaches a broker. Secrets come from the environment: they stand in no process list. */
export interface BrokerArguments {
  readonly broker: string;
  readonly username?: string;
  /** Files, PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface RunArguments {
  readonly config: string;
  /** A CSV that the states start from. */
  readonly warm?: string;
  /** Serves a model that is not fit for use, too. */
  readonly force?: boolean;
}

export const stateActions = ['ls', 'export', 'import', 'reset'] as const;

export interface StateArguments {
  readonly action: (typeof stateActions)[number];
  readonly config: string;
  /** What export writes and import reads. */
  readonly file?: string;
  /** All when absent. */
  readonly stream?: readonly string[];
  /** Says of a reset that every stream is meant. */
  readonly all?: boolean;
}

export interface ReplayArguments extends BrokerArguments {
  readonly data: string;
  readonly topic: string;
  /** Columns of the CSV. */
  readonly time?: string;
  readonly stream?: string;
  readonly columns?: readonly string[];
  /** Times as fast as it was recorded; Infinity: as fast as the broker takes it. */
  readonly speed: number;
  readonly qos: 0 | 1;
}

export interface RecordArguments extends BrokerArguments {
  readonly topic: string;
  readonly out: string;
  /** The key of the time in JSON. */
  readonly time: string;
  readonly seconds?: number;
  readonly messages?: number;
}

export interface KeygenArguments {
  readonly out: string;
}

export interface SignArguments {
  readonly model: string;
  /** The file of the private key. */
  readonly key: string;
}

export interface VerifyArguments {
  readonly model: string;
  /** Files of public keys. */
  readonly trust: readonly string[];
}

export interface DeployArguments extends BrokerArguments {
  readonly model: string;
  readonly topic: string;
  /** How long to wait for an answer. */
  readonly seconds: number;
}

export interface RollbackArguments {
  readonly config: string;
}

interface DemoArguments {
  readonly seconds: number | undefined;
  /** Of the page; 8080, or a free one, when absent. */
  readonly port: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The bodies of the commands. Each is loaded only when it runs, so that --help does not wait for the trainer. */
export interface Commands {
  readonly train: (args: TrainArguments, terminal: Terminal) => Promise<Report>;
  readonly evaluate: (args: EvaluateArguments, terminal: Terminal) => Promise<Report>;
  readonly gradients: (args: GradientsArguments, terminal: Terminal) => Promise<Report>;
  readonly importModel: (args: ImportArguments, terminal: Terminal) => Promise<Report>;
  readonly inspect: (args: InspectArguments, terminal: Terminal) => Promise<Report>;
  readonly run: (args: RunArguments, terminal: Terminal) => Promise<Report>;
  readonly state: (args: StateArguments, terminal: Terminal) => Promise<Report>;
  readonly replay: (args: ReplayArguments, terminal: Terminal) => Promise<Report>;
  readonly record: (args: RecordArguments, terminal: Terminal) => Promise<Report>;
  readonly keygen: (args: KeygenArguments, terminal: Terminal) => Promise<Report>;
  readonly sign: (args: SignArguments, terminal: Terminal) => Promise<Report>;
  readonly verify: (args: VerifyArguments, terminal: Terminal) => Promise<Report>;
  readonly deploy: (args: DeployArguments, terminal: Terminal) => Promise<Report>;
  readonly rollback: (args: RollbackArguments, terminal: Terminal) => Promise<Report>;
  /** Draws while it runs, and so prints its own end. */
  readonly demo: (args: DemoArguments) => Promise<void>;
}

export const commands: Commands = {
  train: async (args, terminal) => (await import('./train.ts')).runTrain(args, terminal),
  evaluate: async (args, terminal) => (await import('./evaluate.ts')).runEvaluate(args, terminal),
  gradients: async (args, terminal) => (await import('./gradients.ts')).runGradients(args, terminal),
  importModel: async (args, terminal) => (await import('./import.ts')).runImport(args, terminal),
  inspect: async (args, terminal) => (await import('./inspect.ts')).runInspect(args, terminal),
  run: async (args, terminal) => (await import('./run.ts')).runService(args, terminal),
  state: async (args, terminal) => (await import('./state.ts')).runState(args, terminal),
  replay: async (args, terminal) => (await import('./replay.ts')).runReplay(args, terminal),
  record: async (args, terminal) => (await import('./record.ts')).runRecord(args, terminal),
  keygen: async (args, terminal) => (await import('./keygen.ts')).runKeygen(args, terminal),
  sign: async (args, terminal) => (await import('./sign.ts')).runSign(args, terminal),
  verify: async (args, terminal) => (await import('./verify.ts')).runVerify(args, terminal),
  deploy: async (args, terminal) => (await import('./deploy.ts')).runDeploy(args, terminal),
  rollback: async (args, terminal) => (await import('./rollback.ts')).runRollback(args, terminal),
  demo: async (args) => (await import('./demo.ts')).runDemo(args),
};
