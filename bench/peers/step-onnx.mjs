// onnxruntime-node's time step, for bench/peers.ts.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { answerLines, FRAMES, numbers, readFloats, time } from './lines.mjs';

/** { hidden, inputs, float32, int8 }: sizes, and an ONNX file of each kind (bench/onnx-model.ts). */
let model;
const sessions = new Map();
const runs = new Map();

const tensor = (values, dims) => new ort.Tensor('float32', values, dims);

async function openSession(kind, threads) {
  const key = `${kind} ${threads}`;
  if (!sessions.has(key)) {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all' };
    sessions.set(key, await ort.InferenceSession.create(Buffer.from(model[kind], 'base64'), options));
  }
  return sessions.get(key);
}

/** `sequence` steps a call, and the state fed back from call to call. */
async function openRun({ kind, threads, streams, sequence }) {
  const session = await openSession(kind, threads);
  const { hidden, inputs } = model;
  const size = sequence * streams * inputs;
  const frames = numbers(FRAMES * size);
  const x = tensor(new Float32Array(size), [sequence, streams, inputs]);
  let h = tensor(new Float32Array(streams * hidden), [1, streams, hidden]);
  let c = tensor(new Float32Array(streams * hidden), [1, streams, hidden]);
  let frame = 0;
  let sum = 0;
  const call = async () => {
    frame = (frame + 1) % FRAMES;
    x.data.set(frames.subarray(frame * size, (frame + 1) * size));
    const { Y_h, Y_c, y } = await session.run({ x, h, c });
    h = Y_h;
    c = Y_c;
    sum += y.data[0];
  };
  return { call, sum: () => sum };
}

async function load(question) {
  for (const session of sessions.values()) await session.release();
  sessions.clear();
  runs.clear();
  model = question;
  return {};
}

/** h and y of every step of one stream. */
async function trace({ kind, x: frames }) {
  const session = await openSession(kind, 1);
  const { hidden, inputs } = model;
  const values = readFloats(frames);
  const steps = values.length / inputs;
  const all = { h: new Float32Array(steps * hidden), y: new Float32Array(steps) };
  let h = tensor(new Float32Array(hidden), [1, 1, hidden]);
  let c = tensor(new Float32Array(hidden), [1, 1, hidden]);
  for (let t = 0; t < steps; t++) {
    const x = tensor(values.slice(t * inputs, (t + 1) * inputs), [1, 1, inputs]);
    const { Y_h, Y_c, y } = await session.run({ x, h, c });
    h = Y_h;
    c = Y_c;
    all.h.set(h.data, t * hidden);
    all.y[t] = y.data[0];
  }
  const text = (values) => Buffer.from(values.buffer).toString('base64');
  return { h: text(all.h), y: text(all.y) };
}

const manifest = new URL('node_modules/onnxruntime-node/package.json', import.meta.url);
await answerLines(`onnxruntime-node ${JSON.parse(readFileSync(manifest)).version}`, {
  load,
  trace,
  async time({ calls, ...way }) {
    const key = JSON.stringify(way);
    if (!runs.has(key)) runs.set(key, await openRun(way));
    const { call, sum } = runs.get(key);
    return { us: await time(call, calls), sum: sum() };
  },
});
