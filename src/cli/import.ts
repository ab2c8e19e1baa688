import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOfSpec, type ImportSpec, loadImportSpec } from '../config/import-spec.ts';
import { type Engine, loadModel } from '../engine/engine.ts';
import { ImportError } from '../import/import-error.ts';
import type { Network } from '../import/network.ts';
import { readNetwork } from '../import/read-network.ts';
import { toModel } from '../import/to-model.ts';
import { writeModelFile } from '../model/format.ts';
import type { Model } from '../model/model.ts';
import type { ImportArguments, Report, Terminal } from './command.ts';
import { type ImportedModels, proveImported } from './import-models.ts';
import { readInputFile } from './input-file.ts';
import { headParameters, layerParameters } from './model-size.ts';
import { openOutput } from './output-folder.ts';
import { loadForRecipe } from './prepare.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';

/** Makes OUT/NAME.float.pb and, of an LSTM, OUT/NAME.pb from weights that another program trained. */
export async function runImport(args: ImportArguments, terminal: Terminal): Promise<Report> {
  const spec = loadImportSpec(
    new TextDecoder().decode(readInputFile(args.spec, 'spec of an import')),
    args.spec,
  );
  const bytes = readInputFile(args.weights, 'file of weights');
  const network = naming(args.weights, () => readNetwork(bytes, spec.weights));
  for (const note of network.notes) terminal.warn(`${args.weights}: ${note}`);
  const { calibrate: path } = args;
  const data =
    path === undefined
      ? undefined
      : { path, dataset: loadForRecipe(columnsOfSpec(spec), path, terminal.warn).dataset };
  const ends = (data?.dataset.series ?? []).map(({ firstSlot, length }) => firstSlot + length);
  const origin = {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    calibratedUntilMs: Math.max(0, ...ends) * spec.periodMs,
  };
  const draft = naming(args.weights, () => toModel(network, spec, origin));
  const [floatPath, servedPath] = ['.float.pb', '.pb'].map((end) => join(args.out, `${spec.name}${end}`));
  openOutput(args.out, [`${spec.name}.float.pb`, `${spec.name}.pb`]);
  terminal.log(describeNetwork(network, draft));
  const models = proveImported(draft, spec, data);
  for (const line of models.warnings) terminal.warn(line);
  // an older twin would be of other weights
  rmSync(servedPath, { force: true });
  const float = await writeModel(floatPath, models.float);
  // it streams too, where int8 costs too much
  if (models.refused)
    throw new Error(`${models.refused.message}; ${floatPath} is written and runs too`, {
      cause: models.refused,
    });
  const served = models.int8 && (await writeModel(servedPath, models.int8.model));
  return report({
    models,
    spec,
    on: path ?? 'invented readings',
    files: { float: floatPath, served: servedPath },
    engine: served ?? float,
  });
}

/** Says which file an error is about. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ImportError) throw new ImportError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Loads what it writes first: a file that this machine cannot prove is none. */
async function writeModel(path: string, model: Model): Promise<Engine> {
  const bytes = writeModelFile(model);
  const engine = await loadModel(bytes);
  writeFileSync(path, bytes);
  return engine;
}

function describeNetwork({ cell, layers, outputs }: Network, { input, output }: Model): string {
  const sizes = layers.map(({ hidden }) => hidden).join(' + ');
  const targets = output.targets.map((target) => input.names[target]).join(', ');
  return `${cell} of ${sizes} units on ${input.names.join(', ')}: ${outputs} outputs, ${targets} at steps 1..${output.steps}`;
}

interface Outcome {
  readonly models: ImportedModels;
  readonly spec: ImportSpec;
  /** What int8 was measured on. */
  readonly on: string;
  readonly files: { readonly float: string; readonly served: string };
  readonly engine: Engine;
}

function report({ models, spec, on, files, engine }: Outcome): Report {
  const { int8 } = models;
  const { architecture, output } = models.float;
  const percent = (share: number) => `${(100 * share).toFixed(3)} %`;
  const lines = int8
    ? [
        `int8 against float on ${on}, ${int8.drift.steps.at(-1)} frames on end: ${percent(int8.drift.outputOverall)} of the outputs, ` +
          `${percent(int8.drift.hiddenOverall)} of the hidden states (relative root mean square)${int8.wide ? ', 12 bits' : ''}`,
        ...(int8.cost === undefined
          ? []
          : [`int8 costs ${percent(int8.cost)} of the squared error on ${on}`]),
        `${files.served}  ${engine.id}`,
      ]
    : [`a ${architecture.cell} stays in float32: ${files.float} is the model to run`];
  return {
    summary: {
      model: int8 ? files.served : files.float,
      float: files.float,
      ...{ id: engine.id, name: spec.name, cell: architecture.cell, layers: architecture.layers },
      hidden: architecture.hidden,
      parameters: layerParameters(models.float).reduce((sum, count) => sum + count, 0),
      headParameters: headParameters(models.float),
      ...{
        steps: output.steps,
        horizons: output.horizons,
        calibrated: models.float.calibration.levels.length > 0,
      },
      ...(int8 && {
        int8: { on, frames: int8.drift.steps.at(-1), ...sheetOfQuantization(int8) },
      }),
    },
    text: [...lines, files.float].join('\n'),
  };
}
