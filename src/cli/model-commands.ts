import type { Command } from 'commander';
import type { Commands } from './command.ts';
import { addBroker, addEntry, type Perform } from './command-entry.ts';
import { timerSeconds } from './option-values.ts';

/** The commands of a model's life after the training: who made it, and which one a device serves. */
export function addModelCommands(program: Command, commands: Commands, perform: Perform): void {
  addKeygen(program, commands, perform);
  addSign(program, commands, perform);
  addVerify(program, commands, perform);
  addDeploy(program, commands, perform);
  addRollback(program, commands, perform);
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

function addDeploy(program: Command, commands: Commands, perform: Perform): void {
  const command = addEntry(
    program,
    'deploy <model>',
    'Send a signed model to running services by MQTT, and wait for the answer. Exit code 1 when it is refused.',
    `Example:
  # the topic is models.topic of their config; what becomes of the model is on TOPIC/status
  cellstream deploy weather.pb --broker mqtt://localhost --topic cellstream/plant/model`,
  ).option('--seconds <number>', 'how long to wait for the answer', timerSeconds, 30);
  addBroker(command, '<topic>', 'where the services take new models').action((model: string, options) =>
    perform(options, (terminal) => commands.deploy({ ...options, model }, terminal)),
  );
}

function addRollback(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
    program,
    'rollback <config>',
    'Put back the model that a service served before, with its states. The service has to be stopped.',
    `Example:
  systemctl stop cellstream
  cellstream rollback plant.yaml
  systemctl start cellstream`,
  ).action((config: string, options) =>
    perform(options, (terminal) => commands.rollback({ config }, terminal)),
  );
}
