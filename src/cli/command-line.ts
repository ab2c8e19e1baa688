import { CommanderError } from 'commander';
import { type Commands, type Report, commands as realCommands, type Terminal } from './command.ts';
import type { CommonOptions } from './command-entry.ts';
import { createProgram } from './program.ts';

/** By name, so that no error class pulls its whole room into the start of the program. */
const usersErrors: ReadonlySet<string> = new Set([
  'BrokerOptionsError',
  'BrokerRefusedError',
  'CheckpointError',
  'ConfigError',
  'DashboardPortError',
  'DataError',
  'ImportError',
  'DamageError',
  'ModelFormatError',
  'SigningKeyError',
  'StateFolderError',
  'TopicPatternError',
  'UsageError',
]);

export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

const processStreams: Streams = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
};

/** Runs one command line. @returns the exit code */
export async function runCommandLine(
  args: readonly string[],
  { commands = realCommands, streams = processStreams }: { commands?: Commands; streams?: Streams } = {},
): Promise<0 | 1 | 2> {
  const program = createProgram(commands, async (options, work) => {
    const terminal = createTerminal(options, streams);
    streams.stdout(render(await work(terminal), terminal));
  });
  const complain = (message: string) => streams.stderr(`cellstream: ${message}\n`);
  const settings = {
    writeOut: streams.stdout,
    writeErr: streams.stderr,
    outputError: (text: string) =>
      complain(
        usageLine(
          text,
          args[0],
          program.commands.map((c) => c.name()),
        ),
      ),
  };
  for (const command of [program, ...program.commands]) command.configureOutput(settings);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // commander has written its message, or the help
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    complain(describeError(error));
    return error instanceof Error && usersErrors.has(error.name) ? 2 : 1;
  }
}

function createTerminal({ json = false, quiet = false }: CommonOptions, { stderr }: Streams): Terminal {
  return {
    json,
    quiet,
    log: (line) => {
      if (!quiet) stderr(`${line}\n`);
    },
    warn: (line) => stderr(`warning: ${line}\n`),
  };
}

function render({ summary, text }: Report, { json }: Terminal): string {
  return `${json ? JSON.stringify(summary) : text.trimEnd()}\n`;
}

/** Commander's message as one line, with the way to the help. */
function usageLine(text: string, name: string | undefined, names: readonly string[]): string {
  const message = text
    .replace(/^error: /, '')
    .replace(/\s*\n\(Did you mean (.*?)\?\)/, '; did you mean $1?')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const command = name !== undefined && names.includes(name) ? ` ${name}` : '';
  return `${message} (see cellstream${command} --help)`;
}

/** One line, but for a ConfigError with its line a problem; the stack only when it is asked for. */
function describeError(error: unknown): string {
  if (process.env.CELLSTREAM_DEBUG)
    return error instanceof Error ? `${error.stack}${describeCause(error)}` : String(error);
  const message = error instanceof Error ? error.message || error.name : String(error);
  if (error instanceof Error && error.name === 'ConfigError')
    return message.replaceAll('\n', '\ncellstream: ');
  return message.replace(/\s*\n\s*/g, ' ');
}

function describeCause({ cause }: Error): string {
  return cause instanceof Error ? `\ncaused by ${cause.stack}` : '';
}
