import { type Command, Option } from 'commander';
import { type Commands, cells, splits } from './command.ts';
import { addEntry, type Perform } from './command-entry.ts';
import { duration, nameList, wholeNumber } from './option-values.ts';

const largestSeed = 2 ** 32 - 1;

/** The commands that make models and look into them. */
export function addTrainingCommands(program: Command, commands: Commands, perform: Perform): void {
  addTrain(program, commands, perform);
  addEvaluate(program, commands, perform);
  addGradients(program, commands, perform);
  addImport(program, commands, perform);
  addInspect(program, commands, perform);
}

function addTrain(program: Command, commands: Commands, perform: Perform): void {
  addEntry(
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
  addEntry(
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
  addEntry(
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
  addEntry(
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
  addEntry(
    program,
    'inspect <model>',
    'Say what is in a model file, prove it by its golden vectors, and time a step on this machine.',
    `Example:
  cellstream inspect weather.pb`,
  ).action((model: string, options) => perform(options, (terminal) => commands.inspect({ model }, terminal)));
}
