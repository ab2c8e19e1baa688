import { z } from 'zod';
import { choice, numberIn, text, wholeNumber } from './fields.ts';
import { ascending, column, columns, identity, maximumLag, period } from './recipe-schema.ts';

const featureText = 'a map such as { name: temp, mean: 55.2, scale: 18.4 }';

const featureSchema = z.strictObject(
  {
    name: text('the name of a feature').describe('As readings, and the columns of --calibrate, call it.'),
    mean: numberIn({ min: -1e30, max: 1e30 }).describe('z = (value - mean) / scale, as in the training.'),
    scale: numberIn({ min: 0, max: 1e20, open: 'min' }),
    unit: z.string('a unit such as °C').default(''),
  },
  featureText,
);

const modulesText = 'the name of a module such as lstm, or a list of them, the lowest first';
const moduleName = text(modulesText);

/** What the weights of another program do not say. The network itself is read from the weights. */
export const importSchema = z.strictObject(
  {
    ...identity,
    features: z
      .array(featureSchema, `a list of features, each ${featureText}`)
      .min(1, `a list of features, each ${featureText}`)
      .describe('What the network reads, in its order, with the scaling that it was trained with.'),
    target: z
      .union([column, columns], 'the name of a feature or a list of them')
      .describe('The feature that is forecast, or a list of them, in the order of the outputs.'),
    horizons: ascending(1024, 'steps ahead').describe('The steps ahead that are reported.'),
    period: period.describe('Of the frames that the network was trained on, such as 1h.'),
    season: wholeNumber(1, maximumLag)
      .default(1)
      .describe('Frames after which the signal repeats itself; a stream counts as cold for that long.'),
    gapLimit: wholeNumber(0, maximumLag)
      .default(6)
      .describe('Missing frames that are bridged with held values; a longer gap restarts the stream.'),
    inputs: choice(['plain', 'differences'])
      .default('plain')
      .describe('plain: z[t] of each feature. differences: z[t] - z[t-lag] of each feature for each lag.'),
    lags: ascending(maximumLag, 'frames')
      .exactOptional()
      .describe('Of `inputs: differences`; [1] unless set.'),
    outputs: choice(['plain', 'increments'])
      .default('plain')
      .describe('plain: z of the target at each step ahead. increments: that minus z[t] of the target.'),
    order: choice(['target-step', 'step-target'])
      .default('target-step')
      .describe(
        'Which of the two the outputs of the head run through first: all steps of a target, or all targets of a step.',
      ),
    segment: wholeNumber(1, 100_000)
      .exactOptional()
      .describe(
        'T: an answer each T frames from a zero state. Unless set, an answer a frame, the state carried on.',
      ),
    wide: z
      .union(
        [z.literal('auto', 'auto, true or false'), z.boolean('auto, true or false')],
        'auto, true or false',
      )
      .default('auto')
      .describe('12 instead of 8 bits for U and h of an LSTM; auto: when int8 would cost too much.'),
    weights: z
      .strictObject(
        {
          recurrent: z
            .union([moduleName, z.array(moduleName, modulesText).min(1, modulesText)], modulesText)
            .exactOptional()
            .describe('nn.LSTM or nn.GRU, or several, the lowest first.'),
          head: text('the name of a module such as head').exactOptional().describe('nn.Linear.'),
        },
        'a map such as { recurrent: lstm, head: fc }',
      )
      .exactOptional()
      .describe('The modules of a state_dict, where it has more than one of a kind.'),
    time: column.exactOptional().describe('The column of times in the CSV of --calibrate.'),
    stream: column.exactOptional().describe('Its column that tells the sensors apart.'),
  },
  'a map with at least name, features, target, horizons and period',
);
