import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Commands } from './command.ts';
import { contract, type Perform } from './command-entry.ts';
import { addModelCommands } from './model-commands.ts';
import { addDemo, addServingCommands } from './serving-commands.ts';
import { addTrainingCommands } from './training-commands.ts';

/** The command line: names, options, help. What a command does lies in its own file. */
export function createProgram(commands: Commands, perform: Perform): Command {
  const program = new Command('cellstream')
    .description('LSTM forecasting for sensor streams: train offline, run int8 on the device over MQTT.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride(); // before the commands are made: they inherit it
  addDemo(program, commands);
  addTrainingCommands(program, commands, perform);
  addServingCommands(program, commands, perform);
  addModelCommands(program, commands, perform);
  for (const command of program.commands) {
    command
      .option('--json', 'print one JSON object instead of text')
      .option('--quiet', 'no progress and no log lines');
  }
  return program.addHelpText(
    'after',
    `
Examples:
  cellstream demo
  cellstream train weather.csv --target temp --horizon 24
  cellstream evaluate out/weather.pb --data weather.csv
  cellstream run plant.yaml
${contract}`,
  );
}

function readVersion(): string {
  // two folders up from src/cli and from dist/cli
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
