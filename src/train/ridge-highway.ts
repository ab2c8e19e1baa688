import type { LinearMap } from '../baselines/linear.ts';
import type { RidgeVariant } from '../baselines/ridge.ts';
import { type Highway, type ModelOutput, outputSize, pointIndex } from '../model/model.ts';

/** A fitted ridge as a model holds it. Maps of several streams make groups 1 + streams, the first of them their mean,
 * for streams without a name. Rows of quantiles other than the point forecast are zero: a ridge says nothing of them.
 * @param maps those of the variant, or of its fit on more data */
export function ridgeHighway(
  { allFeatures, window }: Pick<RidgeVariant, 'allFeatures' | 'window'>,
  maps: readonly LinearMap[],
  output: ModelOutput,
): Highway {
  const { steps } = output;
  const targets = output.targets.length;
  const streams = maps.length === 1 ? 1 : maps.length / targets;
  const groups = streams === 1 ? 1 : 1 + streams;
  const everyStream = Array.from({ length: streams }, (_, stream) => stream);
  const rows = outputSize(output);
  const rowsPerPoint = rows / (targets * steps);
  const columns = maps[0].weights.length / maps[0].bias.length;
  const weights = new Float32Array(groups * rows * columns);
  const bias = new Float32Array(groups * rows);

  function addRow(row: number, { weights: from, bias: biases }: LinearMap, r: number, share: number): void {
    bias[row] += biases[r] / share;
    for (let k = 0; k < columns; k++) weights[row * columns + k] += from[k * biases.length + r] / share;
  }

  for (let group = 0; group < groups; group++) {
    const members = group === 0 ? everyStream : [group - 1];
    for (let point = 0; point < targets * steps; point++) {
      const row = group * rows + point * rowsPerPoint + pointIndex(output);
      const target = Math.floor(point / steps);
      for (const stream of members) {
        const map = maps.length === 1 ? maps[0] : maps[stream * targets + target];
        addRow(row, map, allFeatures ? point : point % steps, members.length);
      }
    }
  }
  return {
    allFeatures,
    window,
    weights: { kind: 'float32', shape: [groups, rows, columns], values: weights },
    bias: { kind: 'float32', shape: [groups, rows], values: bias },
  };
}
