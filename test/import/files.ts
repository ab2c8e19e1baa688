import { onnx } from '#proto/onnx.js';
import { readSafetensors, type StateDict } from '../../src/import/safetensors.ts';
import { readWeights } from './imported.ts';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file. */
export function safetensors(
  tensors: Readonly<Record<string, Entry>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const begin = at;
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  const header = { ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(entries) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer);
  const parts = [length, text, ...Object.values(tensors).map(({ bytes }) => bytes)];
  return new Uint8Array(Buffer.concat(parts));
}

export const filled = (shape: readonly number[], value = 0.1) => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(
    new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value).buffer,
  ),
});

/** The state_dict of a fixture with tensors renamed, added or, `undefined`, taken out. */
export function withTensors(
  file: string,
  changes: Readonly<Record<string, string | Entry | undefined>>,
): StateDict {
  const whole = readSafetensors(readWeights(file));
  const tensors = Object.fromEntries(
    [...whole].map(([name, tensor]) => {
      const { shape, values } = tensor.read();
      return [name, { dtype: 'F32', shape, bytes: new Uint8Array(values.slice().buffer) }];
    }),
  ) as Record<string, Entry>;
  for (const [name, change] of Object.entries(changes)) {
    const old = tensors[name];
    delete tensors[name];
    if (typeof change === 'string') tensors[change] = old;
    else if (change !== undefined) tensors[name] = change;
  }
  return readSafetensors(safetensors(tensors));
}

export interface Node {
  opType: string;
  name?: string;
  input: string[];
  output: string[];
  attribute?: onnx.IAttributeProto[];
}

export interface Graph {
  node: Node[];
  readonly initializer: onnx.ITensorProto[];
  readonly input: onnx.IValueInfoProto[];
  readonly output: onnx.IValueInfoProto[];
}

/** An ONNX fixture with something changed. */
export function editOnnx(file: string, change: (graph: Graph) => void): Uint8Array {
  const model = onnx.ModelProto.decode(readWeights(file));
  change(model.graph as unknown as Graph);
  return onnx.ModelProto.encode(model).finish();
}
