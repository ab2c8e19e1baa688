import { ImportError } from './import-error.ts';
import {
  checkChain,
  expectShape,
  type Network,
  type RecurrentLayer,
  reorderGates,
  transpose,
  type Weights,
} from './network.ts';
import type { OnnxGraph, OnnxNode } from './onnx-file.ts';
import { checkZeroState } from './onnx-state.ts';

type Cell = Network['cell'];

interface CellFormat {
  readonly cell: Cell;
  /** Where our gates stand in ONNX's order: i, o, f, c for the LSTM; z, r, h for the GRU. */
  readonly order: readonly number[];
  readonly activations: readonly string[];
  /** Positions of the initial states among the inputs. */
  readonly states: readonly number[];
}

const cells: Readonly<Record<string, CellFormat>> = {
  LSTM: { cell: 'lstm', order: [0, 2, 3, 1], activations: ['sigmoid', 'tanh', 'tanh'], states: [5, 6] },
  GRU: { cell: 'gru', order: [1, 0, 2], activations: ['sigmoid', 'tanh'], states: [5] },
};

/** They move values about and compute nothing. */
const moves = [
  ...['Identity', 'Squeeze', 'Unsqueeze', 'Transpose', 'Reshape', 'Flatten'],
  ...['Dropout', 'Cast', 'Gather', 'Slice'],
];
const MOST_STEPS = 64;

/** The network of an ONNX graph: LSTM or GRU nodes on each other, then Gemm, or MatMul and Add. */
export function readOnnxNetwork(graph: OnnxGraph): Network {
  const head = findHead(graph);
  const nodes = recurrentChain(graph, head.data);
  const all = graph.nodes.filter(({ op }) => op in cells);
  const outside = all.find((node) => !nodes.includes(node));
  if (outside)
    throw new ImportError(`${outside.label} does not lead to the head, expected one stack of layers`);
  const cell = cells[nodes[0].op].cell;
  const layers = nodes.map((node) => {
    if (cells[node.op].cell !== cell)
      throw new ImportError(`${node.label} on a ${cell}, expected one kind of cell`);
    return readLayer(graph, node);
  });
  checkChain({ layers });
  const { hidden } = layers[layers.length - 1];
  const weights = expectShape(head.weights, [head.outputs, hidden], `${head.label} weights`);
  return { cell, layers, head: { weights, bias: head.bias }, outputs: head.outputs, notes: [] };
}

interface Head {
  readonly label: string;
  /** The value that it reads. */
  readonly data: string;
  /** V [O, H] */
  readonly weights: Weights;
  readonly bias: Float32Array;
  readonly outputs: number;
}

/** The value before all that only moves it. */
function origin(graph: OnnxGraph, name: string) {
  let value = name;
  for (let step = 0; step < MOST_STEPS; step++) {
    const made = graph.producer(value);
    if (made === undefined || !moves.includes(made.node.op)) return { value, made };
    value = made.node.inputs[0] ?? '';
  }
  throw new ImportError(`${name} comes from itself, expected a graph without circles`);
}

/** The linear head of the one output that has one: the others may be states. */
function findHead(graph: OnnxGraph): Head {
  const found = graph.outputs.map((name) => headOf(graph, name));
  const heads = found.filter((head) => typeof head === 'object');
  if (heads.length === 1) return heads[0];
  if (heads.length > 1) throw new ImportError(`${heads.length} outputs with a linear head, expected one`);
  throw new ImportError(
    found.find((reason) => typeof reason === 'string') ?? 'a graph without outputs, expected one',
  );
}

/** @returns why it is none, as a string */
function headOf(graph: OnnxGraph, output: string): Head | string {
  const node = origin(graph, output).made?.node;
  if (node?.op === 'Gemm') return gemmHead(graph, node);
  if (node?.op === 'MatMul') return matMulHead(graph, node);
  if (node?.op === 'Add') {
    for (const [summand, bias] of [node.inputs, [...node.inputs].reverse()]) {
      const product = origin(graph, summand).made?.node;
      if (product?.op === 'MatMul') return matMulHead(graph, product, bias);
    }
  }
  const from = node?.label ?? 'no node';
  return `output ${output} comes from ${from}, expected a linear head: Gemm, or MatMul and Add`;
}

/** The weights of that name. @throws ImportError when they are computed in the graph */
function weightsOf(graph: OnnxGraph, name: string, what: string): Weights {
  const weights = graph.constant(name);
  if (weights !== undefined) return weights;
  const by = graph.producer(name)?.node.label;
  const found = by ? `computed by ${by}` : name === '' ? 'missing' : 'not in the file';
  throw new ImportError(
    `${what}: ${found}, expected weights in the file (torch.onnx.export with do_constant_folding=True)`,
  );
}

function biasOf(graph: OnnxGraph, name: string | undefined, outputs: number, label: string): Float32Array {
  if (name === undefined || name === '') return new Float32Array(outputs);
  const { shape, values } = weightsOf(graph, name, `${label} bias`);
  // [O], or [1, O] and the like
  const flat = shape.at(-1) === values.length ? shape.slice(-1) : shape;
  return expectShape({ shape: flat, values }, [outputs], `${label} bias`);
}

function matMulHead(graph: OnnxGraph, node: OnnxNode, bias?: string): Head {
  const { label } = node;
  const { shape, values } = weightsOf(graph, node.inputs[1] ?? '', `${label} weights`);
  const [rows, outputs] = shape;
  if (shape.length !== 2)
    throw new ImportError(`${label} weights: shape [${shape}], expected [hidden, outputs]`);
  return {
    label,
    data: node.inputs[0],
    weights: { shape: [outputs, rows], values: transpose(values, rows, outputs) },
    bias: biasOf(graph, bias, outputs, label),
    outputs,
  };
}

/** alpha * A * B + beta * C */
function gemmHead(graph: OnnxGraph, node: OnnxNode): Head {
  const { label, attributes } = node;
  const flag = (name: string) => (attributes.get(name)?.i ?? 0) !== 0;
  for (const name of ['alpha', 'beta']) {
    const factor = attributes.get(name)?.f ?? 1;
    if (factor !== 1) throw new ImportError(`${label}: ${name} ${factor}, expected 1`);
  }
  if (flag('transA')) throw new ImportError(`${label}: transA, expected rows of hidden states`);
  const { shape, values } = weightsOf(graph, node.inputs[1] ?? '', `${label} weights`);
  if (shape.length !== 2) throw new ImportError(`${label} weights: shape [${shape}], expected a matrix`);
  const weights = flag('transB')
    ? { shape, values }
    : { shape: [shape[1], shape[0]], values: transpose(values, shape[0], shape[1]) };
  const outputs = weights.shape[0];
  return {
    label,
    data: node.inputs[0],
    weights,
    bias: biasOf(graph, node.inputs[2], outputs, label),
    outputs,
  };
}

/** The recurrent nodes from the input of the graph up to the head, the lowest first. */
function recurrentChain(graph: OnnxGraph, top: string): OnnxNode[] {
  const chain: OnnxNode[] = [];
  let { value, made } = origin(graph, top);
  while (made !== undefined) {
    const { node, output } = made;
    if (!(node.op in cells)) {
      const where =
        chain.length === 0 ? 'between the recurrent layers and the head' : `below ${chain[0].label}`;
      throw new ImportError(
        `${node.label} ${where}, expected only LSTM or GRU nodes and one linear head (scaling belongs into the spec)`,
      );
    }
    if (output > 1)
      throw new ImportError(`the cell state of ${node.label} is read, expected the hidden state`);
    if (chain.includes(node))
      throw new ImportError(`${node.label} reads itself, expected a graph without circles`);
    chain.unshift(node);
    ({ value, made } = origin(graph, node.inputs[0] ?? ''));
  }
  if (chain.length === 0) throw new ImportError('no LSTM or GRU node below the head, expected one to four');
  if (!graph.inputs.has(value))
    throw new ImportError(`${chain[0].label} reads ${value || 'nothing'}, expected the input`);
  return chain;
}

function readLayer(graph: OnnxGraph, node: OnnxNode): RecurrentLayer {
  const { order, states } = cells[node.op];
  const { label, inputs: names } = node;
  checkOptions(node);
  for (const position of states) checkZeroState(graph, names[position] ?? '', label);
  const gates = order.length;
  const W = matrixOf(weightsOf(graph, names[1] ?? '', `${label} W`));
  const U = matrixOf(weightsOf(graph, names[2] ?? '', `${label} R`));
  const hidden = U.shape[1] ?? 0;
  const inputs = W.shape[1] ?? 0;
  const rows = gates * hidden;
  const given = node.attributes.get('hidden_size')?.i;
  if (given !== undefined && given !== hidden) {
    throw new ImportError(`${label}: hidden_size ${given}, expected the ${hidden} columns of R`);
  }
  const biases = names[3]
    ? expectShape(vectorOf(weightsOf(graph, names[3], `${label} B`)), [2 * rows], `${label} B`)
    : new Float32Array(2 * rows);
  const ordered = (values: Float32Array) => reorderGates(values, order);
  return {
    inputs,
    hidden,
    inputWeights: ordered(expectShape(W, [rows, inputs], `${label} W`)),
    recurrentWeights: ordered(expectShape(U, [rows, hidden], `${label} R`)),
    inputBias: ordered(biases.subarray(0, rows)),
    recurrentBias: ordered(biases.subarray(rows)),
  };
}

/** Without the leading 1, the number of directions. */
function matrixOf({ shape, values }: Weights): Weights {
  return { shape: shape.length === 3 && shape[0] === 1 ? shape.slice(1) : shape, values };
}

function vectorOf({ shape, values }: Weights): Weights {
  return { shape: shape.length === 2 && shape[0] === 1 ? shape.slice(1) : shape, values };
}

/** Whatever would make the node compute something else than our cells. */
function checkOptions({ op, label, inputs, attributes }: OnnxNode): void {
  const refuse = (found: string, expected: string): never => {
    throw new ImportError(`${label}: ${found}, expected ${expected}`);
  };
  const { activations } = cells[op];
  const text = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? new Uint8Array(0));
  const direction = text(attributes.get('direction')?.s);
  if (direction !== '' && direction !== 'forward') refuse(`direction ${direction}`, 'forward');
  if ((attributes.get('layout')?.i ?? 0) !== 0) refuse('layout 1', 'layout 0, [time, batch, values]');
  if (attributes.has('clip')) refuse('clip', 'gates without it');
  if ((attributes.get('input_forget')?.i ?? 0) !== 0) refuse('input_forget 1', 'gates of their own');
  const named = attributes.get('activations')?.strings?.map(text) ?? activations;
  if (named.join().toLowerCase() !== activations.join())
    refuse(`activations ${named.join(', ')}`, activations.join(', '));
  if (op === 'GRU' && (attributes.get('linear_before_reset')?.i ?? 0) !== 1) {
    refuse('linear_before_reset 0', '1, as PyTorch and Keras (reset_after=True) have it');
  }
  if (inputs[4]) refuse(`sequence_lens ${inputs[4]}`, 'whole sequences without it');
  if (inputs[7]) refuse(`peepholes ${inputs[7]}`, 'gates without them');
}
