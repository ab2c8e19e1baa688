import type { Dataset, Split } from '../data/dataset.ts';
import { type FloatTensor, type Model, outputSize, pointIndex } from '../model/model.ts';
import { visitPairs } from './validation-pairs.ts';

/** A width that is off by more was not learnt, and its factor is of noise. */
const LARGEST_FACTOR = 100;

/** What the learnt distances are to be scaled by so that on validation, streamed as served, the share of truths beyond
 * each level is what the level says (conformal prediction with scores relative to the width: Lei et al. 2018, Romano et
 * al. 2019), for every target and step.
 * @returns [O], 1 for points */
export function measureWidths(model: Model, dataset: Dataset, split: Split): Float64Array {
  const count = model.output.quantiles.length;
  const point = pointIndex(model.output);
  const factors = new Float64Array(outputSize(model.output)).fill(1);
  // inner levels first: outer ones are counted from them
  for (let outwards = 1; outwards <= Math.max(point, count - 1 - point); outwards++) {
    const levels = [point - outwards, point + outwards].filter((q) => q >= 0 && q < count);
    const found = factorsOf(scaleWidths(model, factors), dataset, split, levels);
    for (let o = 0; o < factors.length; o++) factors[o] *= found[o];
  }
  return factors;
}

/** [O], 1 but for the rows of the levels. */
function factorsOf(model: Model, dataset: Dataset, split: Split, levels: readonly number[]): Float64Array {
  const { targets, steps, quantiles } = model.output;
  const count = quantiles.length;
  const rows = targets.length * steps;
  const scores = new Map(levels.map((q) => [q, Array.from({ length: rows }, (): number[] => [])]));
  visitPairs(model, dataset, split, ({ row, truth, answers, at, point }) => {
    for (const [q, lists] of scores) {
      const inner = answers[at + (q < point ? q + 1 : q - 1)];
      const beyond = q < point ? inner - truth : truth - inner;
      const distance = Math.abs(answers[at + q] - inner);
      // how many distances away the truth was: 0 / 0 is none
      lists[row].push(beyond === 0 ? 0 : beyond / distance);
    }
  });
  const factors = new Float64Array(rows * count).fill(1);
  for (const [q, lists] of scores) {
    const share = quantiles[q] < 0.5 ? 1 - quantiles[q] : quantiles[q];
    lists.forEach((list, row) => {
      factors[row * count + q] = conformalFactor(list, share);
    });
  }
  return factors;
}

/** The factor at which that share of the scores lies inside, one more score to come counted in. */
function conformalFactor(scores: readonly number[], share: number): number {
  if (scores.length === 0) return 1;
  const sorted = Float64Array.from(scores).sort();
  const rank = Math.min(sorted.length, Math.ceil((sorted.length + 1) * share));
  return Math.max(0, Math.min(LARGEST_FACTOR, sorted[rank - 1]));
}

/** Every number of a row of the answers times its factor, |k r| = k |r|: nothing is left to do on the device. */
export function scaleWidths(model: Model, factors: Float64Array): Model {
  const { head, highway } = model;
  const scale = (tensor: FloatTensor, columns = 1): FloatTensor => ({
    ...tensor,
    values: tensor.values.map((value, i) => value * factors[Math.floor(i / columns) % factors.length]),
  });
  const lastOf = ({ shape }: FloatTensor) => shape[shape.length - 1];
  return {
    ...model,
    ...(head && {
      head: {
        weights: scale(head.weights, lastOf(head.weights)),
        bias: scale(head.bias),
        skip: scale(head.skip, lastOf(head.skip)),
      },
    }),
    ...(highway && {
      highway: {
        ...highway,
        weights: scale(highway.weights, lastOf(highway.weights)),
        bias: scale(highway.bias),
      },
    }),
  };
}
