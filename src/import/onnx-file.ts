import { onnx } from '#proto/onnx.js';
import { BoundedReader } from '../model/bounded-reader.ts';
import { ImportError } from './import-error.ts';
import { transpose, type Weights } from './network.ts';
import { bytesOf, type NumberFormat, readNumbers } from './numbers.ts';

export interface OnnxNode {
  readonly op: string;
  /** `LSTM "/rnn/LSTM"`, for messages. */
  readonly label: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, onnx.IAttributeProto>;
}

/** The graph of an ONNX file, by the names of its values. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: ReadonlySet<string>;
  readonly outputs: readonly string[];
  /** The node that computes a value, and as which of its outputs; undefined for inputs and initializers. */
  producer(name: string): { readonly node: OnnxNode; readonly output: number } | undefined;
  /** The weights that stand in the file under that name, at most behind a change of shape; undefined when computed. */
  constant(name: string): Weights | undefined;
}

/** TensorProto.DataType */
const formats: Readonly<Record<number, NumberFormat>> = {
  1: 'float32',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};
const EXTERNAL = 1;
/** Changes of shape in a row; a circle has more. */
const MOST_STEPS = 32;

/** Reads an ONNX file: a protobuf of which the graph's nodes and initializers count. */
export function readOnnx(bytes: Uint8Array): OnnxGraph {
  const graph = decode(bytes).graph;
  if (!graph?.node?.length)
    throw new ImportError('no graph with nodes, expected an ONNX or a safetensors file');
  const nodes = graph.node.map(nodeOf);
  const initializers = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]));
  const producers = new Map(
    nodes.flatMap((node) => node.outputs.map((name, output) => [name, { node, output }] as const)),
  );
  const namesOf = (values: readonly onnx.IValueInfoProto[] | null | undefined) =>
    (values ?? []).map(({ name }) => name ?? '');

  function constant(name: string, steps = MOST_STEPS): Weights | undefined {
    const stored = initializers.get(name);
    if (stored !== undefined) return readTensor(stored, name);
    const node = producers.get(name)?.node;
    if (node === undefined || steps === 0) return undefined;
    if (node.op === 'Constant') {
      const value = node.attributes.get('value')?.t;
      return value ? readTensor(value, name) : undefined;
    }
    if (!['Identity', 'Squeeze', 'Unsqueeze', 'Transpose'].includes(node.op)) return undefined;
    const weights = constant(node.inputs[0], steps - 1);
    if (node.op !== 'Transpose' || weights === undefined) return weights;
    if (weights.shape.length !== 2) return undefined;
    const [rows, columns] = weights.shape;
    const perm = node.attributes.get('perm')?.ints ?? [1, 0];
    if (perm[0] === 0) return weights;
    return { shape: [columns, rows], values: transpose(weights.values, rows, columns) };
  }

  return {
    nodes,
    // old files name the initializers among the inputs
    inputs: new Set(namesOf(graph.input).filter((name) => !initializers.has(name))),
    outputs: namesOf(graph.output),
    producer: (name) => producers.get(name),
    constant: (name) => constant(name),
  };
}

function decode(bytes: Uint8Array): onnx.ModelProto {
  try {
    return onnx.ModelProto.decode(new BoundedReader(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImportError(`neither a safetensors nor an ONNX file (${reason}), or one that is cut short`, {
      cause,
    });
  }
}

function nodeOf(node: onnx.INodeProto): OnnxNode {
  const op = node.opType ?? '';
  return {
    op,
    label: node.name ? `${op} ${JSON.stringify(node.name)}` : op,
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: new Map((node.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute])),
  };
}

function readTensor(tensor: onnx.ITensorProto, name: string): Weights {
  const what = `tensor ${name}`;
  if (tensor.dataLocation === EXTERNAL)
    throw new ImportError(`${what}: stored in another file, expected the weights in this one`);
  const format = formats[tensor.dataType ?? 0];
  if (format === undefined) {
    throw new ImportError(`${what}: ONNX data type ${tensor.dataType}, expected a floating-point one`);
  }
  const bytes = bytesOfTensor(tensor, format);
  const shape = tensor.dims ?? [];
  const expected = shape.reduce((product, size) => product * size, bytesOf[format]);
  if (bytes.length !== expected) {
    throw new ImportError(`${what}: ${bytes.length} bytes, expected ${expected} for ${format} [${shape}]`);
  }
  return { shape, values: readNumbers(bytes, format, what) };
}

/** raw_data, or the list of its type: both are little-endian numbers, one after the other. */
function bytesOfTensor(
  { rawData, floatData, doubleData }: onnx.ITensorProto,
  format: NumberFormat,
): Uint8Array {
  if (rawData?.length) return rawData;
  return (
    (format === 'float32' ? floatData : format === 'float64' ? doubleData : undefined) ?? new Uint8Array(0)
  );
}
