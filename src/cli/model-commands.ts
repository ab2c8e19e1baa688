import type { Command } from 'commander';
import type { Commands } from './command.ts';
import { addEntry, type Perform } from './command-entry.ts';

/** The commands of a model's life after the training: who made it, and which one a device serves. */
export function addModelCommands(program: Command, commands: Commands, perform: Perform): void {
  addKeygen(program, commands, perform);
  addSign(program, commands, perform);
  addVerify(program, commands, perform);
}

function addKeygen(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
    program,
    'keygen',
    'Make a key for signing models: model-key.pem, which is secret, and model-key.pub.pem for the devices.',
    `Example:
  cellstream keygen --out keys`,
  )
    .option('--out <folder>', 'where the two files land', '.')
    .action((options) => perform(options, (terminal) => commands.keygen(options, terminal)));
}

function addSign(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
    program,
    'sign <model>',
    'Add a signature to a model file. It covers the model as it is stored: whatever changes, it fits no longer.',
    `Examples:
  cellstream sign weather.pb --key keys/model-key.pem

  # while devices change from one key to the next: both
  cellstream sign weather.pb --key old/model-key.pem
  cellstream sign weather.pb --key new/model-key.pem`,
  )
    .requiredOption('--key <file>', 'the private key, PEM')
    .action((model: string, options) =>
      perform(options, (terminal) => commands.sign({ ...options, model }, terminal)),
    );
}

function addVerify(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
    program,
    'verify <model>',
    'Say which trusted keys have signed a model file. Exit code 1 when none has.',
    `Examples:
  cellstream verify weather.pb --trust keys/model-key.pub.pem

  # any of several
  cellstream verify weather.pb --trust old.pub.pem new.pub.pem`,
  )
    .requiredOption('--trust <files...>', 'public keys, PEM')
    .action((model: string, options) =>
      perform(options, (terminal) => commands.verify({ ...options, model }, terminal)),
    );
}
