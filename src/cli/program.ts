import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Commands, cells, type Report, splits, type Terminal } from './command.ts';
import { duration, nameList, positiveNumber, speed, wholeNumber } from './option-values.ts';

const contract = `
Exit codes: 0 done, 1 the work failed, 2 the arguments, a file, a recipe or a config are wrong.
With --json the last line of standard output is one JSON object, and nothing else is there.`;

const largestSeed = 2 ** 32 - 1;

export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs a command's work with the terminal that its options ask for. */
export type Perform = (
  options: CommonOptions,
  work: (terminal: Terminal) => Promise<Report>,
) => Promise<void>;

/** The command line: names, options, help. What a command does lies in its own file. */
export function createProgram(commands: Commands, perform: Perform): Command {
  const program = new Command('cellstream')
    .description('LSTM forecasting for sensor streams: train offline, run int8 on the device over MQTT.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride(); // before the commands are made: they inherit it
  addDemo(program, commands);
  addTrain(program, commands, perform);
  addEvaluate(program, commands, perform);
  addGradients(program, commands, perform);
  addImport(program, commands, perform);
  addInspect(program, commands, perform);
  addRun(program, commands, perform);
  addReplay(program, commands, perform);
  addRecord(program, commands, perform);
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

function addTrain(program: Command, commands: Commands, perform: Perform): void {
  add(
    program,
    'train <recipe|data>',
    'Train a model: NAME.pb (int8), NAME.float.pb and a card with plots.',
    `Examples:
  # what the recipe says, into the folder models/weather
  cellstream train recipe.yaml --out models/weather

  # without a recipe: forecast the column temp up to 24 steps ahead
  cellstream train weather.csv --target temp --horizon 24`,
  )
    .option('--target <column>', 'with a CSV: the column to forecast, or several with commas', nameList)
    .option('--time <column>', 'with a CSV: the column of times, where it is not found by itself')
    .option('--stream <column>', 'with a CSV: the column that tells the sensors apart')
    .option('--horizon <steps>', 'forecast this many steps ahead', wholeNumber(1, 288))
    .addOption(new Option('--cell <kind>', 'another cell than the recipe has').choices(cells))
    .option('--out <folder>', 'where the model and its card land', 'out')
    .option('--seed <number>', 'another seed than the recipe has', wholeNumber(0, largestSeed))
    .option(
      '--budget <duration>',
      'with a CSV: time for trying recipes, such as 90s or 10m (default: 5m)',
      duration,
    )
    .option(
      '--refit',
      'with a CSV: fit once more on training and validation together, once validation has chosen',
    )
    .option('--resume', 'go on from the checkpoint in --out, to the same bits')
    .action((input: string, { resume, refit, budget, ...options }) =>
      perform(options, (terminal) =>
        commands.train(
          {
            ...options,
            input,
            resume: resume === true,
            refit: refit === true,
            ...(budget !== undefined && { budgetMs: budget }),
          },
          terminal,
        ),
      ),
    );
}

function addEvaluate(program: Command, commands: Commands, perform: Perform): void {
  add(
    program,
    'evaluate <model>',
    'Stream a recording through a model, beside persistence, seasonal naive and ridge.',
    `Examples:
  # how good is it on the part that it was not trained on?
  cellstream evaluate weather.pb --data weather.csv

  # what does int8 cost? the errors as JSON
  cellstream evaluate weather.pb --data weather.csv --float weather.float.pb --json`,
  )
    .requiredOption('--data <csv>', 'the recording')
    .addOption(
      new Option('--split <part>', 'the part of the recording to score').choices(splits).default('test'),
    )
    .option('--float <file>', 'a float model to compare with')
    .action((model: string, options) =>
      perform(options, (terminal) => commands.evaluate({ ...options, model }, terminal)),
    );
}

function addGradients(program: Command, commands: Commands, perform: Perform): void {
  add(
    program,
    'gradients <recipe>',
    'Measure how the gradient of the last output falls or grows over the steps back in time, cell by cell.',
    `Examples:
  # rnn, lstm and gru on the data of the recipe; gradients.svg lands in out
  cellstream gradients recipe.yaml

  # 200 steps back
  cellstream gradients recipe.yaml --steps 200 --out docs`,
  )
    .option('--steps <number>', 'how far back in time', wholeNumber(2, 10_000), 100)
    .option('--out <folder>', 'where the plot lands', 'out')
    .option('--seed <number>', 'another seed than the recipe has', wholeNumber(0, largestSeed))
    .action((recipe: string, options) =>
      perform(options, (terminal) => commands.gradients({ ...options, recipe }, terminal)),
    );
}

function addImport(program: Command, commands: Commands, perform: Perform): void {
  add(
    program,
    'import <weights>',
    'Turn an LSTM or GRU that PyTorch or another program trained into NAME.float.pb and, an LSTM, NAME.pb (int8).',
    `Examples:
  # a state_dict of PyTorch: safetensors.torch.save_file(model.state_dict(), 'boiler.safetensors')
  cellstream import boiler.safetensors --spec boiler.yaml --out models/boiler --calibrate history.csv

  # a graph; without data int8 is measured on invented readings, and forecasts have no intervals
  cellstream import boiler.onnx --spec boiler.yaml

A spec:
  name: boiler
  features:                                    # the scaling that the network was trained with
    - { name: temp, mean: 61.5, scale: 4.2 }
    - { name: flow, mean: 3.1, scale: 0.8 }
  target: temp
  horizons: [1, 6]                             # the head answers steps 1..6
  period: 10m`,
  )
    .requiredOption('--spec <file>', 'what the weights do not say (YAML)')
    .option('--out <folder>', 'where the models land', 'out')
    .option('--calibrate <csv>', 'a recording that the network was not trained on')
    .action((weights: string, options) =>
      perform(options, (terminal) => commands.importModel({ ...options, weights }, terminal)),
    );
}

function addInspect(program: Command, commands: Commands, perform: Perform): void {
  add(
    program,
    'inspect <model>',
    'Say what is in a model file, prove it by its golden vectors, and time a step on this machine.',
    `Example:
  cellstream inspect weather.pb`,
  ).action((model: string, options) => perform(options, (terminal) => commands.inspect({ model }, terminal)));
}

function addRun(program: Command, commands: Commands, perform: Perform): void {
  add(
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

function addReplay(program: Command, commands: Commands, perform: Perform): void {
  const command = add(
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
  addBroker(command, "{stream} is the sensor's place").action((data: string, { qos, ...options }) =>
    perform(options, (terminal) => commands.replay({ ...options, data, qos: qos === '0' ? 0 : 1 }, terminal)),
  );
}

function addRecord(program: Command, commands: Commands, perform: Perform): void {
  const command = add(
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
    .option('--seconds <number>', 'stop after this time', positiveNumber)
    .option('--messages <number>', 'stop after that many', wholeNumber(1, 1e9));
  addBroker(command, '{stream} is the place of the sensor, {feature} that of a plain number').action(
    (options) => perform(options, (terminal) => commands.record(options, terminal)),
  );
}

function addBroker(command: Command, places: string): Command {
  return command
    .requiredOption('--broker <url>', 'such as mqtt://localhost:1883 or mqtts://broker:8883')
    .requiredOption('--topic <pattern>', places)
    .option(
      '--username <name>',
      'its password comes from CELLSTREAM_MQTT_PASSWORD or CELLSTREAM_MQTT_PASSWORD_FILE',
    )
    .option('--ca <file>', 'the certificate authority of the broker, PEM')
    .option('--cert <file>', 'the certificate of this client, PEM')
    .option('--key <file>', 'the key of that certificate, PEM');
}

function addDemo(program: Command, commands: Commands): void {
  add(
    program,
    'demo',
    'Watch it work: a broker, three recorded weather stations, live forecasts and their page, all in one process.',
    `Examples:
  # a live table and a page, until Ctrl+C
  cellstream demo

  # 20 seconds, then the figures
  cellstream demo --seconds 20 --json`,
  )
    .option('--seconds <number>', 'stop after this time', positiveNumber)
    .option('--port <number>', 'of the page (default: 8080, or a free one)', wholeNumber(1, 65_535))
    .action(({ seconds, port, json, quiet }) =>
      commands.demo({ seconds, port, json: json === true, quiet: quiet === true }),
    );
}

function add(program: Command, usage: string, description: string, examples: string): Command {
  const command = program.command(usage).description(description);
  return command.addHelpText('after', `\n${examples}\n${contract}`);
}

function readVersion(): string {
  // two folders up from src/cli and from dist/cli
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
