import type { Dataset, Split } from '../data/dataset.ts';
import { createScorer } from '../evaluate/score.ts';
import { type Model, outputSize, pointIndex } from '../model/model.ts';
import { walkSeries } from '../quantize/stream-run.ts';

/** Mean squared error of a float model on validation over its longest horizon, as the engine will score it but with
 * nothing else measured: what a search compares. */
export function scoreDraft(model: Model, dataset: Dataset, split: Split): number {
  const { targets, steps, horizons } = model.output;
  const longest = Math.max(...horizons);
  const seen = cutAt(dataset, split.validationEnd);
  const scorer = createScorer({
    ...{ dataset: seen, split, part: 'validation', targets, steps, horizons: [longest] },
  });
  const points = new Float64Array(targets.length * steps);
  const rowsPerPoint = outputSize(model.output) / points.length;
  const point = pointIndex(model.output);
  for (let index = 0; index < seen.series.length; index++) {
    walkSeries(model, seen, index, (row, answers) => {
      for (let i = 0; i < points.length; i++) points[i] = answers[i * rowsPerPoint + point];
      scorer.add(index, row, points);
    });
  }
  return scorer.score().horizons[longest]?.mse ?? Number.POSITIVE_INFINITY;
}

/** The test part is neither stepped nor looked at. */
function cutAt(dataset: Dataset, end: number): Dataset {
  const width = dataset.features.length;
  const series = dataset.series.map((one) => {
    const length = Math.max(0, Math.min(one.length, end - one.firstSlot));
    return {
      ...one,
      length,
      values: one.values.subarray(0, length * width),
      present: one.present.subarray(0, length),
    };
  });
  return { ...dataset, series };
}
