// TensorFlow.js's time step on its WebAssembly backend, for bench/peers.ts. Its threads are its own affair.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { answerLines, FRAMES, numbers, readWeights, time } from './lines.mjs';

await tf.setBackend('wasm');
await tf.ready();
let weights;
const runs = new Map();

/** [4H, columns] with the gates i, f, g, o as basicLSTMCell has them: [columns, 4H] with i, g, f, o. */
function transpose(rows, columns, hidden) {
  const values = new Float32Array(rows.length);
  [0, 2, 1, 3].forEach((from, to) => {
    for (let j = 0; j < hidden; j++)
      for (let k = 0; k < columns; k++)
        values[(k * 4 + to) * hidden + j] = rows[(from * hidden + j) * columns + k];
  });
  return values;
}

function openCell({ hidden, inputs, W, U, b, V, d }) {
  const kernel = tf.tensor2d(
    [...transpose(W, inputs, hidden), ...transpose(U, hidden, hidden)],
    [inputs + hidden, 4 * hidden],
  );
  const bias = tf.tensor1d(transpose(b, 1, hidden));
  const noForgetBias = tf.scalar(0);
  const [head, offset] = [tf.tensor2d(V, [hidden, 1]), tf.tensor1d(d)];
  return {
    step(x, c, h) {
      const [nextC, nextH] = tf.basicLSTMCell(noForgetBias, kernel, bias, x, c, h);
      return [nextC, nextH, tf.add(tf.matMul(nextH, head), offset)];
    },
  };
}

function openRun({ streams }) {
  const { hidden, inputs } = weights;
  const cell = openCell(weights);
  const size = streams * inputs;
  const frames = numbers(FRAMES * size);
  let [c, h] = [tf.zeros([streams, hidden]), tf.zeros([streams, hidden])];
  let frame = 0;
  let sum = 0;
  const call = () => {
    frame = (frame + 1) % FRAMES;
    const [nextC, nextH, y] = tf.tidy(() => {
      const x = tf.tensor2d(frames.subarray(frame * size, (frame + 1) * size), [streams, inputs]);
      return cell.step(x, c, h);
    });
    sum += y.dataSync()[0];
    tf.dispose([c, h, y]);
    [c, h] = [nextC, nextH];
  };
  return { call, sum: () => sum };
}

await answerLines(`tfjs wasm ${tf.version.tfjs}`, {
  load(question) {
    // what the last weights left behind
    if (weights) tf.engine().endScope();
    tf.engine().startScope();
    runs.clear();
    weights = readWeights(question);
    return {};
  },
  async time({ calls, ...way }) {
    const key = JSON.stringify(way);
    if (!runs.has(key)) runs.set(key, openRun(way));
    const { call, sum } = runs.get(key);
    return { us: await time(call, calls), sum: sum() };
  },
});
