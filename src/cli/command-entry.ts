import type { Command } from 'commander';
import type { Report, Terminal } from './command.ts';

/** What every command's help ends with. */
export const contract = `
Exit codes: 0 done, 1 the work failed, 2 the arguments, a file, a recipe or a config are wrong.
With --json the last line of standard output is one JSON object, and nothing else is there.`;

export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs a command's work with the terminal that its options ask for. */
export type Perform = (
  options: CommonOptions,
  work: (terminal: Terminal) => Promise<Report>,
) => Promise<void>;

/** A command with its help. */
export function addEntry(program: Command, usage: string, description: string, examples: string): Command {
  const command = program.command(usage).description(description);
  return command.addHelpText('after', `\n${examples}\n${contract}`);
}

/** The options of a tool that goes to a broker.
 * @param topic what its topic is called in the help, and `about` what it is */
export function addBroker(command: Command, topic: '<topic>' | '<pattern>', about: string): Command {
  return command
    .requiredOption('--broker <url>', 'such as mqtt://localhost:1883 or mqtts://broker:8883')
    .requiredOption(`--topic ${topic}`, about)
    .option(
      '--username <name>',
      'its password comes from CELLSTREAM_MQTT_PASSWORD or CELLSTREAM_MQTT_PASSWORD_FILE',
    )
    .option('--ca <file>', 'the certificate authority of the broker, PEM')
    .option('--cert <file>', 'the certificate of this client, PEM')
    .option('--key <file>', 'the key of that certificate, PEM');
}
