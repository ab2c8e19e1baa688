import { expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { makeNet } from './nets.ts';

const kernel = createScalarTrainingKernel(float32);

test('weight gradients add over time descending, then rows ascending, in float32 one after the other', () => {
  const [rows, steps, hidden] = [3, 6, 2];
  const { network, parameters, tape, topology } = makeNet(kernel, { rows, steps, hidden, answersFrom: 2 });
  network.forward(parameters, tape);
  tape.dy.forEach((_, i) => {
    tape.dy[i] = Math.sin(i) * 10 ** (i % 5);
  });
  const gradients = createParameters(kernel, topology);
  network.backward(parameters, gradients, tape);

  const f = Math.fround;
  const [O, H, G] = [topology.outputs, hidden, 4 * hidden];
  const [layer] = tape.layers;
  const head = new Float32Array(O);
  const recurrent = new Float32Array(G * H);
  for (let t = steps - 1; t >= 0; t--) {
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < O && t >= 2; o++) head[o] += tape.dy[((t - 2) * rows + r) * O + o];
      for (let j = 0; j < G; j++) {
        const dz = layer.dzu[(t * rows + r) * G + j];
        // h before step t
        for (let k = 0; k < H; k++) recurrent[j * H + k] += f(dz * layer.h[(t * rows + r) * H + k]);
      }
    }
  }
  expect(gradients.headBias).toEqual(head);
  expect(gradients.layers[0].recurrentWeights).toEqual(recurrent);
});
