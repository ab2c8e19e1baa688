import type { ExportReport } from '../quantize/export.ts';

/** What int8 costs, as `--json` and the model file have it: relative root mean square errors against float. */
export function sheetOfQuantization({
  cost,
  wide,
  rounding,
  wideLayers,
  drift,
}: Omit<ExportReport, 'cost'> & { readonly cost?: number }) {
  return {
    ...{ cost, wide, rounding, hidden: drift.hiddenOverall, output: drift.outputOverall },
    layers: drift.layers.map((layer, l) => ({ wide: wideLayers[l], ...layer })),
  };
}
