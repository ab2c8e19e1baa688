// What the JavaScript peers of bench/peers.ts share: a line of JSON answered by a line of JSON.
import { createInterface } from 'node:readline';

/** Frames that a run repeats. */
export const FRAMES = 64;

/** Random numbers between -1 and 1, the same in every run. */
export function numbers(length) {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2147483648;
  });
}

export function readFloats(base64) {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** { hidden, inputs, W, U, b, V, d }, the arrays as float32 (bench/step-peer.ts). */
export function readWeights({ hidden, inputs, ...arrays }) {
  const floats = Object.entries(arrays).map(([name, base64]) => [name, readFloats(base64)]);
  return { hidden, inputs, ...Object.fromEntries(floats) };
}

/** Microseconds a call, in the mean of a turn. */
export async function time(call, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await call();
  return (1000 * (performance.now() - start)) / calls;
}

/** @param answers a function for each `ask` */
export async function answerLines(name, answers) {
  console.log(JSON.stringify({ name }));
  for await (const line of createInterface({ input: process.stdin })) {
    const { ask, ...question } = JSON.parse(line);
    console.log(JSON.stringify(await answers[ask](question)));
  }
}
