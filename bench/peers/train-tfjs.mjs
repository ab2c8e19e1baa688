// TensorFlow.js's training step, for bench/train.ts; the protocol of train.py. Its threads are its own affair.
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

const [T, B, I] = [96, 64, 8];
await tf.setBackend('wasm');
await tf.ready();
const nets = new Map();

function createNet(hidden) {
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ units: hidden, returnSequences: true, inputShape: [T, I] }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'meanSquaredError' });
  return {
    model,
    x: tf.randomNormal([B, T, I], 0, 1, 'float32', 1),
    truth: tf.randomNormal([B, T, 1], 0, 1, 'float32', 2),
  };
}

console.log(JSON.stringify({ name: `tfjs ${tf.version.tfjs} ${tf.getBackend()}` }));
for await (const line of createInterface({ input: process.stdin })) {
  const { hidden, updates } = JSON.parse(line);
  if (!nets.has(hidden)) nets.set(hidden, createNet(hidden));
  const { model, x, truth } = nets.get(hidden);
  const ms = [];
  for (let u = 0; u < updates; u++) {
    const start = performance.now();
    await model.trainOnBatch(x, truth);
    ms.push(performance.now() - start);
  }
  console.log(JSON.stringify({ ms }));
}
