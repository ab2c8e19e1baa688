import { z } from 'zod';
import { durationPattern, parseDuration } from '../signal/duration.ts';
import { choice, numberIn, text, wholeNumber } from './fields.ts';

/** The farthest step ahead that a recipe may ask for. */
export const maximumHorizon = 288;
// the model file allows no more (model/limits.ts)
export const maximumLag = 20_160;

export const column = text('a column name');
export const columns = z.array(column, 'a list of column names').min(1, 'a list of column names');

function autoOr(max: number) {
  const expected = `"auto" or a whole number from 1 to ${max}`;
  return z.union([z.literal('auto', expected), wholeNumber(1, max, expected)], expected);
}

export function ascending(max: number, what: string) {
  const expected = `a list of ${what} from 1 to ${max}`;
  return z.array(wholeNumber(1, max), expected).min(1, expected);
}

const durationText = 'a duration such as 30s, 5m, 1h or 1d';
export const period = z
  .union([z.string().regex(durationPattern, durationText), z.number(durationText)], durationText)
  .refine((value) => parseDuration(value) !== undefined, durationText);

/** The ridge variants of baselines/ridge.ts. */
const ridges = ['own96', 'own336', 'own336each', 'all12'] as const;

const part = numberIn({ min: 0, max: 1e9, open: 'min' });
const splitText = 'three fractions or three counts of frames: train, validation, test';

export const modelSchema = z.strictObject(
  {
    cell: choice(['none', 'feedforward', 'rnn', 'lstm', 'gru'])
      .default('lstm')
      .describe('The cell of the network; none: the ridge of `highway` is the whole model.'),
    highway: choice(ridges)
      .exactOptional()
      .describe(
        'A ridge beside the network, fitted first and frozen. own96, own336: the ' +
          'last 96 or 336 values of the target itself; own336each: with a map for each stream and target; all12: the last 12 of all features.',
      ),
    join: choice(['residual', 'mean'])
      .default('residual')
      .describe(
        'Of a network and its highway. residual: the network learns what the highway leaves. mean: each is fitted ' +
          'alone, the model is their mean.',
      ),
    layers: wholeNumber(1, 4).default(1).describe('Layers of cells, each on the hidden state below it.'),
    hidden: wholeNumber(1, 1024).default(32).describe('H: hidden units of each layer.'),
    output: choice(['each', 'last'])
      .default('each')
      .describe(
        'each: an answer a frame, the state carried for ever. last: an answer every `segment` frames.',
      ),
    segment: wholeNumber(1, maximumLag)
      .exactOptional()
      .describe('T: frames of one answer with `output: last`, or of the window of `cell: feedforward`.'),
    wide: z
      .union(
        [z.literal('auto', 'auto, true or false'), z.boolean('auto, true or false')],
        'auto, true or false',
      )
      .default('auto')
      .describe(
        '12 instead of 8 bits for U and h of an LSTM with a long memory; auto: when the export needs it.',
      ),
  },
  'a map such as { cell: lstm, hidden: 32 }',
);

export const trainingSchema = z.strictObject(
  {
    loss: choice(['mse', 'mae', 'huber']).default('huber'),
    optimizer: choice(['adam', 'adamw']).default('adamw'),
    learningRate: numberIn({ min: 0, max: 1, open: 'min' }).default(0.002),
    weightDecay: numberIn({ min: 0, max: 10 }).exactOptional().describe('Of adamw; 0.01 unless set.'),
    epochs: wholeNumber(1, 100_000).default(50),
    batch: wholeNumber(1, 4096).default(32).describe('Chunks an update.'),
    chunk: wholeNumber(1, 4096).default(14).describe('Steps back in time of one update.'),
    resets: numberIn({ min: 0, max: 1 })
      .default(0.5)
      .describe('The part of the chunks that starts from a zero state.'),
    dropout: numberIn({ min: 0, max: 1, open: 'max' })
      .default(0.2)
      .describe('On the hidden state of every layer on its way up.'),
    schedule: choice(['cosine', 'constant']).default('cosine').describe('Of the learning rate.'),
    clip: numberIn({ min: 0, max: 1e6, open: 'min' }).default(1).describe('The largest norm of a gradient.'),
    patience: wholeNumber(1, 100_000)
      .exactOptional()
      .describe('Epochs without a better validation before training stops; never when absent.'),
    seed: wholeNumber(0, 2 ** 32 - 1).default(1),
    seeds: wholeNumber(1, 16)
      .default(1)
      .describe(
        'Networks of seed, seed + 1, ... that are averaged: joined into one of seeds x hidden units.',
      ),
    refit: z
      .boolean('true or false')
      .default(false)
      .describe('Once validation has chosen, train again on training and validation together.'),
  },
  'a map such as { epochs: 50, seed: 1 }',
);

const nameText = 'letters, digits, dots, dashes and underscores (it becomes a file name)';
const versionText = 'a version of three numbers such as "1.0.0"';

/** What a model is called. */
export const identity = {
  name: z
    .string(nameText)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, nameText)
    .describe('The files become NAME.pb ...'),
  version: z
    .string(versionText)
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, versionText)
    .default('1.0.0'),
  release: wholeNumber(1, 2 ** 32 - 1)
    .default(1)
    .describe('Rises with every release: a device refuses a lower one.'),
};

/** What a recipe file may say. Paths in it are relative to the file. */
export const recipeSchema = z.strictObject(
  {
    ...identity,
    data: text('the path of a CSV file').describe('The CSV file.'),
    time: column
      .exactOptional()
      .describe('The column of times: ISO 8601, or seconds or milliseconds since 1970.'),
    stream: column.exactOptional().describe('The column that tells the sensors apart.'),
    period: period.exactOptional().describe('Of the time grid; the usual distance of two rows unless set.'),
    season: autoOr(maximumLag).default('auto').describe('Frames after which the signal repeats itself.'),
    phases: autoOr(maximumLag).default('auto').describe('P: states a stream; auto: the season, or 1.'),
    features: columns.exactOptional().describe('The columns that the model reads; the targets unless set.'),
    target: z
      .union([column, columns], 'a column name or a list of them')
      .describe('The column to forecast, or a list of them.'),
    share: choice(['none', 'channels'])
      .default('none')
      .describe('channels: each target is a stream of its own, and all of them share the weights.'),
    horizons: ascending(maximumHorizon, 'steps ahead')
      .exactOptional()
      .describe('The steps ahead that are reported; 1 step, 1 h, 6 h and one season unless set.'),
    quantiles: z
      .array(numberIn({ min: 0, max: 1, open: 'both' }), 'a list of levels such as [0.1, 0.5, 0.9]')
      .max(32, 'at most 32 levels')
      .exactOptional()
      .describe(
        'Rising levels of the answers, 0.1, 0.5 and 0.9 among them: the point forecast, and how far from it the others ' +
          'are in the state at hand. Empty: a point alone, and intervals as wide as the errors on validation. Unless set: ' +
          '0.1, 0.5 and 0.9 for up to 96 answers of a network.',
      ),
    mask: z
      .boolean('true or false')
      .default(false)
      .describe(
        'An input more for each feature, 1 where it is missing: for sensors whose silence says something. Where values are ' +
          'merely lost it helped on no data that was tried.',
      ),
    gapLimit: wholeNumber(0, maximumLag)
      .exactOptional()
      .describe('Missing frames that are bridged with filled values; a longer gap restarts the stream.'),
    split: z.tuple([part, part, part], splitText).default([0.6, 0.2, 0.2]).describe(`By time: ${splitText}.`),
    lags: ascending(maximumLag, 'frames')
      .max(64, 'at most 64 lags')
      .exactOptional()
      .describe('How far back the inputs look, with `phases: 1`.'),
    model: modelSchema.prefault({}),
    training: trainingSchema.prefault({}),
  },
  'a map with at least name, data and target',
);
