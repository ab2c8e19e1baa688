import { sigmoidInPlace, tanhInPlace } from '../math/activations.ts';
import {
  type FloatTensor,
  gateCount,
  type Layer,
  type Model,
  type QuantizedTensor,
  type Tensor,
} from '../model/model.ts';
import { multiplyPackedRows, packRows } from './packed-rows.ts';
import { createQuantizedVector, joinPlanes, multiplyIntegers, quantizeVector } from './quantized.ts';
import { type Matrix, multiplyRows } from './sums.ts';

/** Advances one layer of one stream by one frame: `state` holds h, then c, at `stateAt` and is updated in place. */
export type LayerStep = (
  input: Float32Array,
  inputAt: number,
  state: Float32Array,
  stateAt: number,
  channel: number,
) => void;

/** Writes z [G*H] for the LSTM and the plain cell, whose gates see W x and U h as one sum. */
type PreActivation = (
  input: Float32Array,
  inputAt: number,
  state: Float32Array,
  stateAt: number,
  channel: number,
  z: Float32Array,
) => void;

/** out = M x, exact integer sums. */
type IntegerProduct = (x: Int16Array, out: Int32Array) => void;

/** How a matrix is multiplied with vectors of integers up to the limit. */
export type PrepareProduct = (matrix: QuantizedTensor, limit: number) => IntegerProduct;

/** One integer after the other. */
export const readableProduct: PrepareProduct = (matrix) => {
  const integers = joinPlanes(matrix);
  return (x, out) => multiplyIntegers(integers, x, out);
};

/** Two rows at once where their sums leave room: 3 times as fast. */
export const packedProduct: PrepareProduct = (matrix, limit) => {
  if (matrix.lowPlane !== undefined || limit > 127) return readableProduct(matrix, limit);
  const packed = packRows(joinPlanes(matrix), matrix.shape[1]);
  return (x, out) => multiplyPackedRows(packed, x, out);
};

interface Sizes {
  readonly inputs: number;
  readonly hidden: number;
  /** G*H */
  readonly rows: number;
}

function matrix(tensor: Tensor): Matrix {
  const { values, shape } = tensor as FloatTensor;
  return { values, at: 0, rows: shape[0], columns: shape[1] };
}

/** z = (W x + b) + U h */
function floatPreActivation(layer: Layer, { rows }: Sizes): PreActivation {
  const W = matrix(layer.inputWeights);
  const U = layer.recurrentWeights && matrix(layer.recurrentWeights);
  const bias = layer.bias.values;
  const fromHidden = new Float32Array(rows);
  return (input, inputAt, state, stateAt, channel, z) => {
    multiplyRows(W, input, inputAt, z, 0);
    for (let j = 0; j < rows; j++) z[j] += bias[channel * rows + j];
    if (U === undefined) return;
    multiplyRows(U, state, stateAt, fromHidden, 0);
    for (let j = 0; j < rows; j++) z[j] += fromHidden[j];
  };
}

/** z = (b + accW * (s_W * s_x)) + accU * (s_U * s_h), accW and accU exact integers (docs/ARCHITECTURE.md). */
function quantizedPreActivation(
  layer: Layer,
  { inputs, hidden, rows }: Sizes,
  prepareProduct: PrepareProduct,
): PreActivation {
  const { inputWeights, recurrentWeights, inputLimit, hiddenLimit } = layer;
  if (inputWeights.kind !== 'int8' || recurrentWeights?.kind !== 'int8') throw new TypeError('float layer');
  const multiplyInput = prepareProduct(inputWeights, inputLimit);
  const multiplyHidden = prepareProduct(recurrentWeights, hiddenLimit);
  const inputScales = inputWeights.rowScales;
  const recurrentScales = recurrentWeights.rowScales;
  const bias = layer.bias.values;
  const x = createQuantizedVector(inputs);
  const h = createQuantizedVector(hidden);
  const accW = new Int32Array(rows);
  const accU = new Int32Array(rows);
  return (input, inputAt, state, stateAt, channel, z) => {
    quantizeVector(input, inputAt, inputLimit, x);
    quantizeVector(state, stateAt, hiddenLimit, h);
    const xScale = x.scale[0];
    const hScale = h.scale[0];
    multiplyInput(x.integers, accW);
    multiplyHidden(h.integers, accU);
    for (let j = 0; j < rows; j++) {
      const fromInput = Math.fround(Math.fround(accW[j]) * Math.fround(inputScales[j] * xScale));
      const fromHidden = Math.fround(Math.fround(accU[j]) * Math.fround(recurrentScales[j] * hScale));
      z[j] = Math.fround(bias[channel * rows + j] + fromInput) + fromHidden;
    }
  };
}

/** h = tanh(z); a feedforward layer is the same without U. */
function plainLayer(preActivation: PreActivation, { rows }: Sizes): LayerStep {
  const z = new Float32Array(rows);
  return (input, inputAt, state, stateAt, channel) => {
    preActivation(input, inputAt, state, stateAt, channel, z);
    state.set(z, stateAt);
    tanhInPlace(state, stateAt, rows);
  };
}

/** i, f, o = sigma(z), g = tanh(z);  c' = i*g + f*c;  h' = o*tanh(c'). */
function lstmLayer(preActivation: PreActivation, { hidden, rows }: Sizes): LayerStep {
  const z = new Float32Array(rows);
  return (input, inputAt, state, stateAt, channel) => {
    preActivation(input, inputAt, state, stateAt, channel, z);
    sigmoidInPlace(z, 0, 2 * hidden);
    tanhInPlace(z, 2 * hidden, hidden);
    sigmoidInPlace(z, 3 * hidden, hidden);
    for (let j = 0; j < hidden; j++) {
      const inputGate = z[j];
      const forgetGate = z[hidden + j];
      const cellGate = z[2 * hidden + j];
      const cellAt = stateAt + hidden + j;
      const c = Math.fround(Math.fround(inputGate * cellGate) + Math.fround(forgetGate * state[cellAt]));
      state[cellAt] = c;
      state[stateAt + j] = c;
    }
    tanhInPlace(state, stateAt, hidden);
    for (let j = 0; j < hidden; j++) state[stateAt + j] *= z[3 * hidden + j];
  };
}

/** r, z = sigma((W x + b) + U h), n = tanh((W x + b) + r*(U h + b_n));  h' = (1 - z)*n + z*h  (PyTorch's form). */
function gruLayer(layer: Layer, { hidden, rows }: Sizes): LayerStep {
  const W = matrix(layer.inputWeights);
  const U = matrix(layer.recurrentWeights as Tensor);
  const bias = layer.bias.values;
  const recurrentBias = (layer.recurrentBias as FloatTensor).values;
  const fromHidden = new Float32Array(rows);
  // W x + b, then the gates
  const z = new Float32Array(rows);
  return (input, inputAt, state, stateAt, channel) => {
    multiplyRows(W, input, inputAt, z, 0);
    for (let j = 0; j < rows; j++) z[j] += bias[channel * rows + j];
    multiplyRows(U, state, stateAt, fromHidden, 0);
    for (let j = 0; j < 2 * hidden; j++) z[j] += fromHidden[j];
    sigmoidInPlace(z, 0, 2 * hidden);
    for (let j = 0; j < hidden; j++) {
      const recurrent = Math.fround(fromHidden[2 * hidden + j] + recurrentBias[j]);
      z[2 * hidden + j] += Math.fround(z[j] * recurrent);
    }
    tanhInPlace(z, 2 * hidden, hidden);
    for (let j = 0; j < hidden; j++) {
      const updateGate = z[hidden + j];
      const kept = Math.fround(updateGate * state[stateAt + j]);
      state[stateAt + j] = Math.fround(Math.fround(1 - updateGate) * z[2 * hidden + j]) + kept;
    }
  };
}

/** The readable form of every layer of a model, float32 or quantized. */
export function createLayerSteps(
  model: Model,
  inputSize: number,
  prepareProduct: PrepareProduct,
): LayerStep[] {
  const { cell, hidden } = model.architecture;
  return model.layers.map((layer, index) => {
    const sizes: Sizes = {
      inputs: index === 0 ? inputSize : hidden,
      hidden,
      rows: gateCount[cell] * hidden,
    };
    if (cell === 'gru') return gruLayer(layer, sizes);
    const quantized = layer.inputWeights.kind === 'int8';
    const preActivation = quantized
      ? quantizedPreActivation(layer, sizes, prepareProduct)
      : floatPreActivation(layer, sizes);
    return cell === 'lstm' ? lstmLayer(preActivation, sizes) : plainLayer(preActivation, sizes);
  });
}
