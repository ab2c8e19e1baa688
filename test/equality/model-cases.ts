import { writeModelFile } from '../../src/model/format.ts';
import type { CellKind } from '../../src/model/model.ts';
import {
  cellKinds,
  createDice,
  createModel,
  createRandomModel,
  type ModelShape,
} from '../fixtures/random-model.ts';

/** A model as a device gets it. */
interface ModelCase {
  /** Seed and shape: what to look at when its bits differ. */
  readonly name: string;
  readonly file: Uint8Array;
}

const integerModels = 200;
const floatModels = 30;

/** 200 LSTMs in integers, of every shape that the fast kernels take apart, and some of every cell in float32. */
export function createModelCases(): ModelCase[] {
  const integer = Array.from({ length: integerModels }, (_, i) => {
    const shape = integerShape(i + 1);
    const { seed, weights, features, hidden, layers, phases } = shape;
    const name = `${seed}-${weights}-F${features}-H${hidden}-L${layers}-P${phases}`;
    return { name, file: writeModelFile(createModel(shape)) };
  });
  const float = Array.from({ length: floatModels }, (_, i) => {
    const cell: CellKind = cellKinds[i % cellKinds.length];
    const seed = 1_000 + i;
    return {
      name: `${seed}-${cell}-float32`,
      file: writeModelFile(createRandomModel(seed, { cell, weights: 'float32' })),
    };
  });
  return [...integer, ...float];
}

/** Hidden sizes on both sides of what a vector register and a packed row hold, and any up to 100. */
const edges = [4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 48, 63, 64, 65, 96, 97];

function integerShape(
  seed: number,
): Partial<ModelShape> & Pick<ModelShape, 'seed' | 'weights' | 'features' | 'hidden' | 'layers' | 'phases'> {
  const dice = createDice(seed ^ 0xb175);
  const features = dice.int(1, 6);
  const phases = dice.pick([1, 1, 1, 2, 3, 5, 12, 24]);
  const some = (values: readonly number[]) => values.filter(() => dice.chance(0.5));
  const lags = phases > 1 ? Array.from({ length: phases }, (_, i) => i + 1) : some([1, 2, 3, 5, 12, 24, 48]);
  const targets = some(Array.from({ length: features }, (_, k) => k));
  return {
    ...{ seed, features, phases, lags },
    weights: dice.pick(['int8', 'int8', 'int8', 'wide', 'mixed']),
    hidden: dice.chance(0.6) ? dice.pick(edges) : dice.int(4, 100),
    layers: dice.pick([1, 1, 1, 2, 2, 3, 4]),
    segment: phases === 1 && dice.chance(0.2) ? dice.int(1, 6) : 0,
    averages: dice.chance(0.5) || lags.length === 0 ? [phases + 1, 7 * phases] : [],
    targets: targets.length === 0 ? [features - 1] : targets,
    steps: dice.int(1, 9),
    quantiles: dice.pick([[], [0.5], [0.1, 0.5, 0.9]]),
    // its averages run over 20 frames, no fewer than the longest lag
    swing: lags.length > 0 && Math.max(...lags) <= 20 && dice.chance(0.5),
    channels: dice.pick([[], ['LGA'], ['ISP', 'JFK']]),
    highway: dice.pick(['no', 'no', 'own', 'all']),
    highwayWindow: dice.int(2, 48),
    groups: dice.pick(['one', 'each']),
    gapLimit: dice.int(0, 6),
    mask: dice.chance(0.3),
    plain: dice.chance(0.3),
    plainOutput: dice.chance(0.3),
    fill: dice.chance(0.3),
    streams: dice.pick([undefined, ['JFK', 'ISP']]),
  };
}
