import type { Dataset, Split } from '../data/dataset.ts';
import { createScorer } from '../evaluate/score.ts';
import { type Model, outputSize, pointIndex } from '../model/model.ts';
import { walkSeries } from '../quantize/stream-run.ts';

/** Mean squared error of a float model on validation over its longest horizon, as the engine will score it but with
 * nothing else measured: what a search compares. Streams and targets of other scales count alike, each in units of the
 * widest. */
export function scoreDraft(model: Model, dataset: Dataset, split: Split): number {
  const { targets, steps, horizons } = model.output;
  const longest = Math.max(...horizons);
  const seen = cutAt(dataset, split.validationEnd);
  const units = unitsOf(model, seen);
  const scorer = createScorer({
    ...{
      dataset: inUnits(seen, targets, units),
      split,
      part: 'validation',
      targets,
      steps,
      horizons: [longest],
    },
  });
  const points = new Float64Array(targets.length * steps);
  const rowsPerPoint = outputSize(model.output) / points.length;
  const point = pointIndex(model.output);
  for (let index = 0; index < seen.series.length; index++) {
    walkSeries(model, seen, index, (row, answers) => {
      for (let i = 0; i < points.length; i++)
        points[i] = answers[i * rowsPerPoint + point] * units[index][Math.floor(i / steps)];
      scorer.add(index, row, points);
    });
  }
  return scorer.score().horizons[longest]?.mse ?? Number.POSITIVE_INFINITY;
}

/** [series][target]: what its values are multiplied by to swing as wide as the widest; 1 where all are scaled alike. */
function unitsOf({ input, output }: Model, { series }: Dataset): number[][] {
  const scales = series.map(({ stream }) => {
    const channel = input.channels.indexOf(stream) + 1;
    return output.targets.map((target) => input.scalers[2 * (channel * input.features + target) + 1]);
  });
  const widest = Math.max(...scales.flat());
  return scales.map((row) => row.map((scale) => widest / scale));
}

function inUnits(dataset: Dataset, targets: readonly number[], units: readonly number[][]): Dataset {
  const width = dataset.features.length;
  const series = dataset.series.map((one, i) => {
    const values = one.values.slice();
    targets.forEach((target, m) => {
      if (units[i][m] === 1) return;
      for (let row = 0; row < one.length; row++) values[row * width + target] *= units[i][m];
    });
    return { ...one, values };
  });
  return { ...dataset, series };
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
