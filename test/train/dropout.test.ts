import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import type { Dropout } from '../../src/train/network.ts';
import { makeNet } from './nets.ts';
import { setUp } from './setup.ts';
import { dataset, train } from './training.ts';

const kernel = createScalarTrainingKernel(float32);
const [rows, steps, hidden, layers] = [6, 10, 20, 2];
const batchRows = Int32Array.of(2, 10, 18, 26, 34, 42);

/** The factors of all layers' units: 0 or 1/(1 - rate), by the row of the minibatch, [layer][t][row] -> [H]. */
function masksOf(dropout: Dropout) {
  const { network, parameters, tape } = makeNet(kernel, {
    rows: dropout.batchRows.length,
    steps,
    hidden,
    layers,
  });
  network.forward(parameters, tape, dropout);
  return tape.layers.map((layer) =>
    Array.from({ length: steps }, (_, t) =>
      Array.from(dropout.batchRows, (_, r) => {
        const at = (t * dropout.batchRows.length + r) * hidden;
        return layer.dropout.slice(at, at + hidden);
      }),
    ),
  );
}

const usual: Dropout = { rate: 0.3, seed: 1, update: 5, batchRows };

describe('dropout', () => {
  test('drops the rate of all units and scales up the others, so that the mean stays', () => {
    const { network, parameters, tape } = makeNet(kernel, { rows, steps, hidden, layers });
    network.forward(parameters, tape, usual);
    const kept = Math.fround(1 / Math.fround(1 - 0.3));
    for (const { dropout, output, hAfter } of tape.layers) {
      const dropped = dropout.filter((factor) => factor === 0).length / dropout.length;
      expect(dropped).toBeGreaterThan(0.3 - 0.05);
      expect(dropped).toBeLessThan(0.3 + 0.05);
      expect(new Set(dropout)).toEqual(new Set([0, kept]));
      expect(output).toEqual(Float32Array.from(hAfter, (h, i) => h * dropout[i]));
    }
  });

  test('keeps the expectation of every output over many updates', () => {
    const { network, parameters, tape } = makeNet(kernel, { rows, steps: 1, hidden });
    network.forward(parameters, tape);
    const expected = tape.y.slice();
    const mean = new Float64Array(expected.length);
    const updates = 4000;
    for (let update = 0; update < updates; update++) {
      network.forward(parameters, tape, { ...usual, update });
      for (let i = 0; i < mean.length; i++) mean[i] += tape.y[i] / updates;
    }
    // four standard errors of a sum over 20 units
    mean.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(0.05);
    });
  });

  test('never touches h itself: the state that is carried is whole', () => {
    const one = makeNet(kernel, { rows, steps, hidden });
    one.network.forward(one.parameters, one.tape, usual);
    const other = makeNet(kernel, { rows, steps, hidden });
    other.network.forward(other.parameters, other.tape);
    expect(one.tape.layers[0].h).toEqual(other.tape.layers[0].h);
    expect(one.tape.y).not.toEqual(other.tape.y);
  });

  test('is another at each layer, step, row, update and seed, and the same again for the same', () => {
    const masks = masksOf(usual);
    const all = masks.flat(2).map((mask) => mask.join());
    expect(new Set(all).size).toBe(all.length);
    expect(masksOf(usual)).toEqual(masks);
    expect(masksOf({ ...usual, update: 6 })).not.toEqual(masks);
    expect(masksOf({ ...usual, seed: 2 })).not.toEqual(masks);
  });

  test('follows the row of the minibatch and not that of the tape', () => {
    const alone = masksOf({ ...usual, batchRows: Int32Array.of(18) });
    const together = masksOf(usual);
    alone.forEach((layer, l) => {
      layer.forEach(([mask], t) => {
        expect(mask).toEqual(together[l][t][2]);
      });
    });
  });

  test.each([undefined, { ...usual, rate: 0 }])(
    'is off when it is not asked for, after it was on: %#',
    (off) => {
      const { network, parameters, tape } = makeNet(kernel, { rows, steps, hidden, layers });
      network.forward(parameters, tape);
      const whole = tape.y.slice();
      network.forward(parameters, tape, usual);
      expect(tape.y).not.toEqual(whole);
      network.forward(parameters, tape, off);
      expect(tape.dropped).toBe(false);
      expect(tape.y).toEqual(whole);
    },
  );

  test('is on in training and off in validation', () => {
    const still = { learningRate: 0, weightDecay: 0, epochs: 2, resets: 0 };
    const dropped = train(setUp(dataset, { training: { ...still, dropout: 0.5 } })).history;
    const whole = train(setUp(dataset, { training: { ...still, dropout: 0 } })).history;
    expect(dropped.map(({ validation }) => validation)).toEqual(whole.map(({ validation }) => validation));
    expect(dropped[1].loss).not.toBe(whole[1].loss);
    expect(dropped[1].validation).toBe(dropped[0].validation);
  });
});
