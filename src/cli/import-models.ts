import type { ImportSpec } from '../config/import-spec.ts';
import { DataError } from '../data/data-error.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import type { Drift } from '../quantize/drift.ts';
import { exportModels, finishModel } from '../quantize/export.ts';
import { exportWithoutData, OUTPUT_ERROR_LIMIT } from '../quantize/export-without-data.ts';
import { QuantizeError } from '../quantize/quantize-model.ts';

interface ImportedInt8 {
  readonly model: Model;
  readonly wide: boolean;
  readonly drift: Drift;
  /** (int8 MSE - float MSE) / float MSE, where there is data. */
  readonly cost?: number;
}

interface CalibrationData {
  readonly path: string;
  readonly dataset: Dataset;
}

export interface ImportedModels {
  readonly float: Model;
  /** An LSTM's. */
  readonly int8?: ImportedInt8;
  /** Why there is no int8 model of an LSTM. */
  readonly refused?: QuantizeError;
  readonly warnings: readonly string[];
}

/** Golden vectors, intervals and int8 of an imported float model: on the data that there is, or on invented readings. */
export function proveImported(draft: Model, { wide }: ImportSpec, data?: CalibrationData): ImportedModels {
  return data ? withData(draft, data, wide) : withoutData(draft, wide);
}

function withoutData(draft: Model, wide: ImportSpec['wide']): ImportedModels {
  const { float, int8 } = exportWithoutData(draft, { wide });
  const warnings = ['no --calibrate data: forecasts have no intervals'];
  if (int8 && !(int8.drift.outputOverall <= OUTPUT_ERROR_LIMIT)) {
    const error = (100 * int8.drift.outputOverall).toFixed(1);
    warnings.push(`int8 is ${error} % from float on invented readings: measure its cost with --calibrate`);
  }
  return {
    float: recorded(float),
    ...(int8 && { int8: { ...int8, model: recorded(int8.model, int8) } }),
    warnings,
  };
}

function withData(
  draft: Model,
  { path, dataset }: CalibrationData,
  wide: ImportSpec['wide'],
): ImportedModels {
  const start = Math.min(...dataset.series.map(({ firstSlot }) => firstSlot));
  const end = Math.max(...dataset.series.map(({ firstSlot, length }) => firstSlot + length));
  // all of it is held out: none was trained on here
  const split: Split = { start, trainEnd: start, validationEnd: end, end };
  const float = finishModel(draft, dataset, split);
  if (float.model.calibration.levels.length === 0) {
    throw new DataError(
      `--calibrate ${path}: too few rows, expected readings of every target at every step ahead`,
    );
  }
  try {
    const { served, report } = exportModels(draft, dataset, split, { wide, float });
    if (report === undefined) return { float: recorded(float.model), warnings: [] };
    return {
      float: recorded(float.model, report),
      int8: { ...report, model: recorded(served, report) },
      warnings: [],
    };
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    return { float: recorded(float.model), refused: error, warnings: [] };
  }
}

/** What was measured goes into the file. */
function recorded(model: Model, int8?: Omit<ImportedInt8, 'model'>): Model {
  const quantization = int8 && {
    ...{ cost: int8.cost, wide: int8.wide },
    ...{ hidden: int8.drift.hiddenOverall, output: int8.drift.outputOverall },
  };
  return { ...model, training: { ...model.training, metrics: JSON.stringify({ quantization }) } };
}
