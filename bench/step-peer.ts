import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinPlanes } from '../src/kernels/quantized.ts';
import type { FloatTensor, Head, Model, QuantizedTensor } from '../src/model/model.ts';
import { type StepWeights, writeOnnx } from './onnx-model.ts';
import { type Peer, startPeer } from './peer.ts';
import { createInputs } from './step-models.ts';
import type { StepTrace } from './step-trace.ts';

/** How the steps of a peer are called. */
export interface StepWay {
  readonly kind: 'float32' | 'int8';
  readonly threads: number;
  readonly streams: number;
  /** Steps of each stream in one call: 1 but to time a kernel alone. */
  readonly sequence: number;
}

/** A program that steps the LSTM of a model, its state fed back from call to call. */
export interface StepPeer {
  readonly name: string;
  /** Takes the weights of a float model with one layer and one answer. The skip S is left out. */
  load(model: Model): Promise<void>;
  /** Microseconds a call, in the mean of so many. */
  time(way: StepWay, calls: number): Promise<number>;
  trace(kind: StepWay['kind'], inputs: Float32Array): Promise<StepTrace>;
  close(): void;
}

/** The file's path inside bench/peers. */
const peerFile = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** What a peer is given of a model. */
type Describe = (weights: StepWeights) => Readonly<Record<string, string>>;

const asArrays: Describe = ({ W, U, b, V, d }) =>
  Object.fromEntries(Object.entries({ W, U, b, V, d }).map(([name, values]) => [name, writeFloats(values)]));

/** A file of each kind. */
export const asOnnx: Describe = (weights) => ({
  float32: writeOnnx(weights, 'float32').toString('base64'),
  int8: writeOnnx(weights, 'int8').toString('base64'),
});

/** @returns undefined, with the reason on standard error, when the program does not start */
export async function startStepPeer(
  command: string,
  file: string,
  describe: Describe = asArrays,
): Promise<StepPeer | undefined> {
  const peer = await startPeer(command, [peerFile(file)]);
  return peer && wrap(peer, describe);
}

function wrap(peer: Peer, describe: Describe): StepPeer {
  return {
    name: peer.name,
    close: peer.close,
    async load(model) {
      const weights = weightsOf(model);
      const { hidden, inputs } = weights;
      await peer.ask({ ask: 'load', hidden, inputs, ...describe(weights) });
    },
    async time(way, calls) {
      return answered(peer, await peer.ask({ ask: 'time', ...way, calls }));
    },
    async trace(kind, inputs) {
      const { h, y } = await peer.ask({ ask: 'trace', kind, x: writeFloats(inputs) });
      return { h: readFloats(String(h)), y: readFloats(String(y)) };
    },
  };
}

function weightsOf({ architecture, layers: [layer], head }: Model): StepWeights {
  const { hidden } = architecture;
  const { values: W, shape } = layer.inputWeights as FloatTensor;
  const { values: U } = layer.recurrentWeights as FloatTensor;
  const { weights, bias } = head as Head;
  return { hidden, inputs: shape[1], W, U, b: layer.bias.values, V: weights.values, d: bias.values };
}

/** The time, when the steps answered something. */
function answered({ name }: Peer, { us, sum }: Record<string, unknown>): number {
  if (typeof us === 'number' && Number.isFinite(sum) && sum !== 0) return us;
  throw new Error(`${name} answered ${sum} in sum, in ${us} us a call`);
}

const bytesOf = (values: ArrayBufferView): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);
const writeFloats = (values: Float32Array): string => bytesOf(values).toString('base64');

function readFloats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The step in C, of one int8 model. */
export interface CompiledStep {
  readonly name: string;
  /** The frames that it steps, again and again: [*, I]. */
  readonly frames: Float32Array;
  /** Microseconds a step. */
  time(calls: number): Promise<number>;
  /** Microseconds of a step's two matrix products alone. */
  timeProducts(calls: number): Promise<number>;
  /** The outputs of so many steps from a zero state, and the last h. */
  trace(steps: number): Promise<{ readonly y: number[]; readonly h: number[] }>;
  close(): void;
}

const C_FRAMES = 4096;
// without -ffp-contract=off two roundings become one, and the bits differ
const FLAGS = ['-O3', '-mavx2', '-mfma', '-ffp-contract=off'];

/** Compiles bench/peers/step.c.
 * @returns undefined, with the reason on standard error, where it does not compile */
export function compileStep() {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-bench-'));
  const program = join(folder, 'step');
  const { status, stderr, error } = spawnSync('gcc', [...FLAGS, peerFile('step.c'), '-o', program]);
  const close = () => rmSync(folder, { recursive: true });
  if (status !== 0) {
    console.error(`no C step: gcc ${FLAGS.join(' ')}: ${error?.message ?? String(stderr).trim()}`);
    close();
    return undefined;
  }
  const open = (model: Model) => openStep(program, join(folder, 'weights'), model);
  return { open, close };
}

async function openStep(program: string, file: string, model: Model): Promise<CompiledStep | undefined> {
  const [layer] = model.layers;
  const W = layer.inputWeights as QuantizedTensor;
  const U = layer.recurrentWeights as QuantizedTensor;
  const [, inputs] = W.shape;
  const sizes = [model.architecture.hidden, inputs, layer.inputLimit, layer.hiddenLimit, C_FRAMES];
  const { weights: V, bias: d, skip: S } = model.head ?? {};
  const floats = [W.rowScales, U.rowScales, layer.bias.values, V?.values, d?.values, S?.values];
  const frames = createInputs(C_FRAMES, inputs);
  const parts = [Int32Array.from(sizes), joinPlanes(W), joinPlanes(U), ...floats, frames];
  writeFileSync(file, Buffer.concat(parts.map((part) => bytesOf(part as ArrayBufferView))));
  const peer = await startPeer(program, [file]);
  if (peer === undefined) return undefined;
  const time = async (ask: string, calls: number) => answered(peer, await peer.ask({ ask, calls }));
  return {
    name: peer.name,
    frames,
    close: peer.close,
    time: (calls) => time('steps', calls),
    timeProducts: (calls) => time('products', calls),
    async trace(steps) {
      const { y, h } = await peer.ask({ ask: 'trace', calls: steps });
      return { y: y as number[], h: h as number[] };
    },
  };
}
