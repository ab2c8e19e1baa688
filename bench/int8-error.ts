import { readFile } from 'node:fs/promises';
import { loadModel } from '../src/engine/engine.ts';
import { createStepKernel } from '../src/kernels/choose.ts';
import { createScalarKernel } from '../src/kernels/scalar.ts';
import { type FloatTensor, type Head, type Model, outputSize, pointIndex } from '../src/model/model.ts';
import { createRounding } from '../src/quantize/rounding.ts';
import { significant } from './rounds.ts';
import { createFloatModel } from './step-models.ts';
import type { StepPeer } from './step-peer.ts';
import { type StepTrace, traceKernel } from './step-trace.ts';
import { createWalk, networkInputs } from './walk.ts';

/** Free-running steps after which the errors are looked at. */
export const errorSteps = [1000, 10_000] as const;
/** Frames by which int8 is rounded, and which it is not measured on. */
const CALIBRATION = 4000;

/** Relative to our own float: root mean square error / root mean square. */
interface Errors {
  readonly h: number;
  readonly y: number;
}

export interface ModelErrors {
  readonly name: string;
  /** [errorSteps] */
  readonly ours: readonly Errors[];
  readonly onnx: readonly Errors[];
}

/** Random weights, times `grown`, as training makes them grow, and with forget gates as open as it leaves them. Larger
 * ones run chaotic: whatever is rounded then, the error is 100 %. */
const randomModels = [
  { hidden: 16, grown: 1, forget: 0 },
  { hidden: 32, grown: 1, forget: 0 },
  { hidden: 64, grown: 1, forget: 0 },
  { hidden: 128, grown: 1, forget: 0 },
  { hidden: 32, grown: 1.5, forget: 1 },
  { hidden: 64, grown: 1.5, forget: 1 },
  { hidden: 128, grown: 1.25, forget: 1 },
  { hidden: 64, grown: 1, forget: 2 },
] as const;

/** int8 of ours and of onnxruntime on the same weights and the same inputs: a random walk. */
export async function measureErrors(onnx: StepPeer): Promise<ModelErrors[]> {
  const cases = [
    ...randomModels.map((kind, i) => ({ name: nameOf(kind), model: createGrownModel(kind, i + 1) })),
    { name: 'nyc-weather, as trained', model: await loadTrained() },
  ];
  const errors: ModelErrors[] = [];
  for (const [i, { name, model }] of cases.entries())
    errors.push({ name, ...(await measureModel(onnx, model, i + 1)) });
  return errors;
}

/** Ours as the export rounds it, nearest or by data. */
async function measureModel(onnx: StepPeer, float: Model, seed: number): Promise<Omit<ModelErrors, 'name'>> {
  const length = CALIBRATION + Math.max(...errorSteps);
  const { dataset, split } = createWalk(float, { seed, length, calibration: CALIBRATION });
  const { model: int8 } = createRounding(float, dataset, split)([false]);
  const all = networkInputs(float, dataset);
  const inputs = all.subarray((all.length / length) * CALIBRATION);
  await onnx.load(float);
  const expected = traceKernel(createScalarKernel, float, inputs);
  const errorsOf = (found: StepTrace) => errorSteps.map((steps) => errorsAfter(steps, found, expected));
  return {
    ours: errorsOf(traceKernel(createStepKernel, int8, inputs)),
    onnx: errorsOf(await onnx.trace('int8', inputs)),
  };
}

function errorsAfter(steps: number, found: StepTrace, expected: StepTrace): Errors {
  const share = steps / expected.y.length;
  const relative = (values: Float32Array, truths: Float32Array) => {
    let [error, power] = [0, 0];
    for (let i = 0; i < share * truths.length; i++) {
      error += (values[i] - truths[i]) ** 2;
      power += truths[i] ** 2;
    }
    return significant(Math.sqrt(error / power));
  };
  return { h: relative(found.h, expected.h), y: relative(found.y, expected.y) };
}

type RandomKind = (typeof randomModels)[number];

const nameOf = ({ hidden, grown, forget }: RandomKind): string =>
  `H=${hidden}, random weights${grown > 1 ? ` times ${grown}` : ''}${forget > 0 ? `, forget bias ${forget}` : ''}`;

function createGrownModel({ hidden, grown, forget }: RandomKind, seed: number): Model {
  const model = createFloatModel(hidden, seed);
  const [layer] = model.layers;
  const grow = (tensor: FloatTensor, more = (_: number) => 0): FloatTensor => ({
    ...tensor,
    values: tensor.values.map((value, i) => grown * value + more(i)),
  });
  const isForget = (row: number) => row >= hidden && row < 2 * hidden;
  return withoutSkip({
    ...model,
    layers: [
      {
        ...layer,
        inputWeights: grow(layer.inputWeights as FloatTensor),
        recurrentWeights: grow(layer.recurrentWeights as FloatTensor),
        bias: grow(layer.bias, (row) => (isForget(row) ? forget : 0)),
      },
    ],
  });
}

/** The shipped model with one state for all hours, and of its answers the point forecast furthest ahead. */
async function loadTrained(): Promise<Model> {
  const file = await readFile(new URL('../models/nyc-weather/nyc-weather.float.pb', import.meta.url));
  const { highway, ...model } = (await loadModel(file)).model;
  const { swing, fill, spread, streams, ...input } = model.input;
  const head = model.head as Head;
  const row =
    outputSize(model.output) - Math.max(1, model.output.quantiles.length) + pointIndex(model.output);
  const rowOf = ({ kind, shape: [, columns = 1], values }: FloatTensor): FloatTensor => ({
    ...{ kind, shape: [1, columns] },
    values: values.slice(row * columns, (row + 1) * columns),
  });
  return withoutSkip({
    ...{ ...model, input },
    architecture: { ...model.architecture, phases: 1 },
    output: { targets: [0], steps: 1, horizons: [1], quantiles: [] },
    head: { weights: rowOf(head.weights), bias: rowOf(head.bias), skip: rowOf(head.skip) },
  });
}

/** y = d + V h alone: what the skip adds is float32 in every one, and would hide the errors. */
function withoutSkip(model: Model): Model {
  const head = model.head as Head;
  const skip = { ...head.skip, values: new Float32Array(head.skip.values.length) };
  return { ...model, head: { ...head, skip } };
}
