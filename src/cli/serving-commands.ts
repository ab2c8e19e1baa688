import { Argument, type Command, Option } from 'commander';
import { type Commands, stateActions } from './command.ts';
import { addBroker, addEntry, type Perform } from './command-entry.ts';
import { nameList, speed, timerSeconds, wholeNumber } from './option-values.ts';

/** The commands that serve, and those that play and record what sensors say. */
export function addServingCommands(program: Command, commands: Commands, perform: Perform): void {
  addRun(program, commands, perform);
  addState(program, commands, perform);
  addReplay(program, commands, perform);
  addRecord(program, commands, perform);
}

function addRun(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
    program,
    'run <config>',
    'The service: answers every frame of the sensors of an MQTT broker with a forecast, until it is stopped.',
    `Examples:
  # what the config says; JSON logs on standard error
  cellstream run plant.yaml

  # start with states that know the past
  cellstream run plant.yaml --warm history.csv

A config:
  model: weather.pb
  broker: { url: mqtt://localhost }
  subscribe:
    - topic: plant/{stream}/telemetry
  publish: { topic: cellstream/{stream}/forecast }
  dashboard: { port: 8080 }

The password of the broker: broker.password_file, or CELLSTREAM_MQTT_PASSWORD, or CELLSTREAM_MQTT_PASSWORD_FILE.`,
  )
    .option('--warm <csv>', 'a recording that the states start from')
    .option('--force', 'serve a model that is worse than repeating the newest value, or the season before')
    .action((config: string, options) =>
      perform(options, (terminal) => commands.run({ ...options, config }, terminal)),
    );
}

function addState(program: Command, commands: Commands, perform: Perform): void {
  const command = addEntry(
    program,
    'state',
    'The states that a stopped service has left on disk: list them, take some to a file, bring some in, forget some.',
    `Examples:
  # every stream, its newest frame, and how warm it is
  cellstream state ls plant.yaml

  # two streams to another device that serves the same model
  cellstream state export plant.yaml boilers.state --stream boiler-1 boiler-2
  cellstream state import other.yaml boilers.state

  # one of them alone
  cellstream state import other.yaml boilers.state --stream boiler-2

  # a sensor was replaced: it starts cold
  cellstream state reset plant.yaml --stream boiler-1

  # every stream starts cold
  cellstream state reset plant.yaml --all`,
  );
  command
    .addArgument(new Argument('<action>').choices(stateActions))
    .argument('<config>', 'the config of the service')
    .argument('[file]', 'that export writes and import reads')
    .option('--stream <names...>', 'only these streams')
    .option('--all', 'reset every stream')
    .action((action: (typeof stateActions)[number], config: string, file: string | undefined, options) =>
      perform(options, (terminal) =>
        commands.state({ ...options, action, config, ...(file !== undefined && { file }) }, terminal),
      ),
    );
}

function addReplay(program: Command, commands: Commands, perform: Perform): void {
  const command = addEntry(
    program,
    'replay <csv>',
    'Publish a recording to a broker, as its sensors would: a JSON message a row.',
    `Examples:
  # as it was recorded
  cellstream replay weather.csv --broker mqtt://localhost --topic 'sensors/{stream}/weather' --stream origin

  # ten hours a second, three columns
  cellstream replay weather.csv --broker mqtt://localhost --topic 'sensors/{stream}/weather' --stream origin \\
    --columns temp,dewp,pressure --speed 36000

  # a topic and a plain number for each column
  cellstream replay weather.csv --broker mqtt://localhost --topic 'home/{stream}/{feature}' --stream origin --speed max`,
  )
    .option('--time <column>', 'the column of times, where it is not found by itself')
    .option('--stream <column>', 'the column that tells the sensors apart')
    .option('--columns <names>', 'the columns to publish (default: all that hold numbers)', nameList)
    .option('--speed <factor>', 'times as fast as it was recorded, or max', speed, 1)
    .addOption(new Option('--qos <level>', 'of the messages').choices(['0', '1']).default('1'));
  addBroker(command, '<pattern>', "{stream} is the sensor's place").action(
    (data: string, { qos, ...options }) =>
      perform(options, (terminal) =>
        commands.replay({ ...options, data, qos: qos === '0' ? 0 : 1 }, terminal),
      ),
  );
}

function addRecord(program: Command, commands: Commands, perform: Perform): void {
  const command = addEntry(
    program,
    'record',
    'Write what sensors publish into a CSV that train reads. Ctrl+C ends it.',
    `Examples:
  # until Ctrl+C
  cellstream record --broker mqtt://localhost --topic 'sensors/{stream}/weather' --out weather.csv

  # for a day
  cellstream record --broker mqtt://localhost --topic 'home/{stream}/{feature}' --out home.csv --seconds 86400`,
  )
    .requiredOption('--out <csv>', 'the file to write')
    .option('--time <key>', 'of the time in JSON; messages without it are of the moment they arrive', 'time')
    .option('--seconds <number>', 'stop after this time', timerSeconds)
    .option('--messages <number>', 'stop after that many', wholeNumber(1, 1e9));
  addBroker(
    command,
    '<pattern>',
    '{stream} is the place of the sensor, {feature} that of a plain number',
  ).action((options) => perform(options, (terminal) => commands.record(options, terminal)));
}

export function addDemo(program: Command, commands: Commands): void {
  addEntry(
    program,
    'demo',
    'Watch it work: a broker, three recorded weather stations, live forecasts and their page, all in one process.',
    `Examples:
  # a live table and a page, until Ctrl+C
  cellstream demo

  # 20 seconds, then the figures
  cellstream demo --seconds 20 --json`,
  )
    .option('--seconds <number>', 'stop after this time', timerSeconds)
    .option('--port <number>', 'of the page (default: 8080, or a free one)', wholeNumber(1, 65_535))
    .action(({ seconds, port, json, quiet }) =>
      commands.demo({ seconds, port, json: json === true, quiet: quiet === true }),
    );
}
