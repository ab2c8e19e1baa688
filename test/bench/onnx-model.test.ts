import { expect, test } from 'vitest';
import { writeOnnx } from '../../bench/onnx-model.ts';
import { readOnnx } from '../../src/import/onnx-file.ts';
import { createDice } from '../fixtures/random-model.ts';

const [hidden, inputs] = [3, 2];
const dice = createDice(1);
const numbers = (length: number) => Float32Array.from({ length }, () => 2 * dice.next() - 1);
const weights = {
  ...{
    hidden,
    inputs,
    W: numbers(4 * hidden * inputs),
    U: numbers(4 * hidden * hidden),
    b: numbers(4 * hidden),
  },
  ...{ V: numbers(hidden), d: numbers(1) },
};

/** Rows of i, f, g, o as ONNX orders them. */
function reordered(rows: Float32Array): Float32Array {
  const size = rows.length / 4;
  const [i, f, g, o] = [0, 1, 2, 3].map((gate) => [...rows.slice(gate * size, (gate + 1) * size)]);
  return Float32Array.from([...i, ...o, ...f, ...g]);
}

test('the ONNX file of the float peer has our weights, the gates in the order of ONNX', () => {
  const graph = readOnnx(writeOnnx(weights, 'float32'));
  expect(graph.nodes.map(({ op }) => op)).toEqual(['LSTM', 'MatMul', 'Add']);
  expect(graph.outputs).toEqual(['Y_h', 'Y_c', 'y']);
  expect(graph.constant('W')).toEqual({ shape: [1, 12, 2], values: reordered(weights.W) });
  expect(graph.constant('R')).toEqual({ shape: [1, 12, 3], values: reordered(weights.U) });
  expect(graph.constant('B')?.values.subarray(0, 12)).toEqual(reordered(weights.b));
  expect(graph.constant('V')).toEqual({ shape: [3, 1], values: weights.V });
});

test('the ONNX file of the int8 peer has a scale a row, the largest weight of each at 127', () => {
  const graph = readOnnx(writeOnnx(weights, 'int8'));
  expect(graph.nodes.map(({ op }) => op)).toEqual(['DynamicQuantizeLSTM', 'MatMul', 'Add']);
  const rows = reordered(weights.U);
  const largest = Float32Array.from(
    { length: 12 },
    (_, j) => Math.max(...rows.slice(3 * j, 3 * j + 3).map(Math.abs)) / 127,
  );
  expect(graph.constant('R_scale')).toEqual({ shape: [1, 12], values: largest });
});
