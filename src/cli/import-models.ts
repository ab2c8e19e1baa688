import type { ImportSpec } from '../config/import-spec.ts';
import { DataError } from '../data/data-error.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { type ExportReport, exportModels, finishModel } from '../quantize/export.ts';
import { exportWithoutData, OUTPUT_ERROR_LIMIT } from '../quantize/export-without-data.ts';
import { QuantizeError } from '../quantize/quantize-model.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';

/** Of the outputs, relative root mean square. */
const REFUSED_ERROR = 0.1;

interface ImportedInt8 extends Omit<ExportReport, 'cost'> {
  readonly model: Model;
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
  const without = 'no --calibrate data: forecasts have no intervals';
  return judge(float, int8, { on: 'invented readings', warnings: [without] });
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
    const options = { wide, float, outputLimit: OUTPUT_ERROR_LIMIT };
    const { served, report } = exportModels(draft, dataset, split, options);
    return judge(float.model, report && { ...report, model: served }, { on: path, warnings: [] });
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    return { float: recorded(float.model), refused: error, warnings: [] };
  }
}

/** An int8 model that answers something else is none of this network, even where its squared error is no larger. */
function judge(
  float: Model,
  int8: ImportedInt8 | undefined,
  { on, warnings }: { readonly on: string; readonly warnings: readonly string[] },
): ImportedModels {
  if (int8 === undefined) return { float: recorded(float), warnings };
  const error = int8.drift.outputOverall;
  const found = `int8 is ${(100 * error).toFixed(1)} % from float on ${on}`;
  if (!(error <= REFUSED_ERROR)) {
    const refused = new QuantizeError(`${found}, expected at most ${100 * REFUSED_ERROR} %`);
    return { float: recorded(float), refused, warnings };
  }
  return {
    float: recorded(float, int8),
    int8: { ...int8, model: recorded(int8.model, int8) },
    warnings: error <= OUTPUT_ERROR_LIMIT ? warnings : [...warnings, `${found}: its forecasts may differ`],
  };
}

/** What was measured goes into the file. */
function recorded(model: Model, int8?: Omit<ImportedInt8, 'model'>): Model {
  const quantization = int8 && sheetOfQuantization(int8);
  return { ...model, training: { ...model.training, metrics: JSON.stringify({ quantization }) } };
}
