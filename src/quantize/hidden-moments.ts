import type { Dataset, Split } from '../data/dataset.ts';
import { createQuantizedVector, quantizeVector } from '../kernels/quantized.ts';
import type { Model } from '../model/model.ts';
import { createStreamRun } from './stream-run.ts';

/** Frames that are looked at, of all that there are. */
const FRAMES = 4000;
/** The golden ratio: its multiples spread evenly and keep step with no season. */
const GOLDEN = 0.6180339887498949;

/** Sum of h h' of every layer, [layers][H, H], h as its integers say it, while an int8 model streams the training part;
 * everything up to the end of validation where nothing was trained on. */
export function sumHiddenMoments(int8: Model, dataset: Dataset, split: Split): Float64Array[] {
  const { hidden: size } = int8.architecture;
  const features = dataset.features.length;
  const end = split.trainEnd > split.start ? split.trainEnd : split.validationEnd;
  const lengths = dataset.series.map(({ firstSlot, length }) =>
    Math.max(0, Math.min(length, end - firstSlot)),
  );
  const share = FRAMES / lengths.reduce((sum, length) => sum + length, 0);
  const moments = int8.layers.map(() => new Float64Array(size * size));
  const h = createQuantizedVector(size);
  let frames = 0;
  for (const [index, { stream, firstSlot, values, present }] of dataset.series.entries()) {
    const run = createStreamRun(int8, stream);
    for (let row = 0; row < lengths[index]; row++) {
      if (present[row] === 0) continue;
      run.step(firstSlot + row, values.subarray(row * features, (row + 1) * features));
      if ((frames++ * GOLDEN) % 1 >= share) continue;
      int8.layers.forEach(({ hiddenLimit }, l) => {
        quantizeVector(run.hidden, l * size, hiddenLimit, h);
        addOuterProduct(moments[l], h.integers, h.scale[0]);
      });
    }
  }
  return moments;
}

function addOuterProduct(moments: Float64Array, integers: Int16Array, scale: number): void {
  const size = integers.length;
  const square = scale * scale;
  for (let j = 0; j < size; j++) {
    const factor = integers[j] * square;
    for (let k = 0; k < size; k++) moments[j * size + k] += factor * integers[k];
  }
}
