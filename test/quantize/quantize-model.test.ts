import { describe, expect, test } from 'vitest';
import { readModelFile, writeModelFile } from '../../src/model/format.ts';
import { largestRowSum } from '../../src/model/limits.ts';
import type { FloatTensor, Model, QuantizedTensor } from '../../src/model/model.ts';
import { QuantizeError, quantizeModel } from '../../src/quantize/quantize-model.ts';
import { createModel, floatModel, prove, shapeOf } from '../fixtures/random-model.ts';
import { dequantize } from './dequantize.ts';

const INT32_MAX = 2 ** 31 - 1;
const float = createModel({ layers: 3, hidden: 7, channels: ['LGA'], highway: 'own' });

const planesOf = ({ layers }: Model) =>
  layers.map(({ inputWeights, recurrentWeights }) =>
    [inputWeights, recurrentWeights].map((tensor) => ((tensor as QuantizedTensor).lowPlane ? 2 : 1)),
  );

describe('int8', () => {
  const int8 = quantizeModel(float);

  test('takes two planes for W of the first layer and one for all else', () => {
    expect(planesOf(int8)).toEqual([
      [2, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test('limits h to 127 everywhere, also where it is the input of an upper layer', () => {
    expect(int8.layers.map(({ hiddenLimit }) => hiddenLimit)).toEqual([127, 127, 127]);
    expect(int8.layers.map(({ inputLimit }) => inputLimit)).toEqual([4095, 127, 127]);
  });

  test('leaves bias, head, highway and everything else as they are', () => {
    const { layers, ...rest } = int8;
    const { layers: floatLayers, ...floatRest } = float;
    expect(rest).toEqual(floatRest);
    expect(layers.map(({ bias }) => bias)).toEqual(floatLayers.map(({ bias }) => bias));
  });

  test('stands for nearly the same weights', () => {
    int8.layers.forEach(({ recurrentWeights }, index) => {
      const weights = (float.layers[index].recurrentWeights as FloatTensor).values;
      const errors = dequantize(recurrentWeights as QuantizedTensor).map((w, i) => Math.abs(w - weights[i]));
      expect(Math.max(...errors)).toBeLessThan(0.0025);
      expect(Math.max(...errors)).toBeGreaterThan(0.0005);
    });
  });
});

test('wide takes two planes for U, and for W of the upper layers', () => {
  const wide = quantizeModel(float, { wide: true });
  expect(planesOf(wide)).toEqual([
    [2, 2],
    [2, 2],
    [2, 2],
  ]);
  expect(wide.layers.map(({ inputLimit, hiddenLimit }) => [inputLimit, hiddenLimit])).toEqual([
    [4095, 2047],
    [2047, 2047],
    [2047, 2047],
  ]);
});

describe('the limit of the input integers', () => {
  /** Many inputs of full size: the row sums leave no room for 4095. */
  function manyInputs(lagCount: number): Model {
    const lags = Array.from({ length: lagCount }, (_, i) => i + 1);
    const model = floatModel(shapeOf({ lags, averages: [], features: 1, hidden: 1 }));
    const [layer] = model.layers;
    const W = layer.inputWeights as FloatTensor;
    return { ...model, layers: [{ ...layer, inputWeights: { ...W, values: W.values.map(Math.sign) } }] };
  }

  test('is 4095 as long as no sum can overflow', () => {
    expect(quantizeModel(manyInputs(128)).layers[0].inputLimit).toBe(4095);
  });

  test('falls to floor((2^31 - 1) / max row sum) of |w| beyond that', () => {
    const [layer] = quantizeModel(manyInputs(129)).layers;
    const sum = largestRowSum(layer.inputWeights as QuantizedTensor);
    expect(sum).toBe(129 * 4079);
    expect(layer.inputLimit).toBe(Math.floor(INT32_MAX / sum));
    expect(layer.inputLimit * sum).toBeLessThanOrEqual(INT32_MAX);
    expect((layer.inputLimit + 1) * sum).toBeGreaterThan(INT32_MAX);
  });

  test('is one that the reader of the file accepts', () => {
    const model = prove(quantizeModel(manyInputs(1000)));
    expect(readModelFile(writeModelFile(model)).model.layers[0].inputLimit).toBe(526);
  });
});

describe('what cannot be made integers', () => {
  test.each(['gru', 'rnn', 'feedforward', 'none'] as const)('a %s is refused by its name', (cell) => {
    expect(() => quantizeModel(createModel({ cell }))).toThrow(QuantizeError);
    expect(() => quantizeModel(createModel({ cell }))).toThrow(`int8 is for the lstm, this is a ${cell}`);
  });

  test('wide is refused above 512 hidden units, where 512 and plain int8 pass', () => {
    const [at, above] = [512, 513].map((hidden) => floatModel(shapeOf({ hidden, features: 1 })));
    expect(() => quantizeModel(above, { wide: true })).toThrow(
      new QuantizeError('wide weights with 513 hidden units, at most 512'),
    );
    expect(quantizeModel(at, { wide: true }).layers[0].hiddenLimit).toBe(2047);
    expect(quantizeModel(above).layers[0].hiddenLimit).toBe(127);
  });
});
