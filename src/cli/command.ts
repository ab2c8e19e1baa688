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

export interface InspectArguments {
  readonly model: string;
}

interface DemoArguments {
  readonly seconds: number | undefined;
  /** Of the embedded broker; a free one when absent. */
  readonly port: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The bodies of the commands. Each is loaded only when it runs, so that --help does not wait for the trainer. */
export interface Commands {
  readonly train: (args: TrainArguments, terminal: Terminal) => Promise<Report>;
  readonly evaluate: (args: EvaluateArguments, terminal: Terminal) => Promise<Report>;
  readonly gradients: (args: GradientsArguments, terminal: Terminal) => Promise<Report>;
  readonly inspect: (args: InspectArguments, terminal: Terminal) => Promise<Report>;
  /** Draws while it runs, and so prints its own end. */
  readonly demo: (args: DemoArguments) => Promise<void>;
}

export const commands: Commands = {
  train: async (args, terminal) => (await import('./train.ts')).runTrain(args, terminal),
  evaluate: async (args, terminal) => (await import('./evaluate.ts')).runEvaluate(args, terminal),
  gradients: async (args, terminal) => (await import('./gradients.ts')).runGradients(args, terminal),
  inspect: async (args, terminal) => (await import('./inspect.ts')).runInspect(args, terminal),
  demo: async (args) => (await import('./demo.ts')).runDemo(args),
};
