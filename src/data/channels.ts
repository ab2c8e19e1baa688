import type { Dataset } from './dataset.ts';

/** Makes a stream `<stream>/<feature>` with the one feature `value` of every feature (of those at `features`), for
 * weights that all channels share. */
export function shareChannels(dataset: Dataset, features?: readonly number[]): Dataset {
  const width = dataset.features.length;
  const chosen = features ?? dataset.features.map((_, k) => k);
  const series = dataset.series.flatMap(({ stream, values, ...grid }) =>
    chosen.map((k) => ({
      ...grid,
      stream: `${stream}/${dataset.features[k]}`,
      channel: { stream, feature: dataset.features[k] },
      values: Float32Array.from({ length: grid.length }, (_, row) => values[row * width + k]),
    })),
  );
  return { ...dataset, features: ['value'], series };
}
