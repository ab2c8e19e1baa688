import { ImportError } from './import-error.ts';
import {
  checkChain,
  expectShape,
  type Network,
  type RecurrentLayer,
  reorderGates,
  type Weights,
} from './network.ts';
import type { OnnxGraph, OnnxNode } from './onnx-file.ts';
import { findHead, headWeights } from './onnx-head.ts';
import { checkZeroState } from './onnx-state.ts';
import { moves, origin, weightsOf } from './onnx-values.ts';

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
  return { cell, layers, ...headWeights(head, hidden), notes: [] };
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
    if (output === 1 && chain.length > 0)
      throw new ImportError(
        `${chain[0].label} reads the last state of ${node.label}, expected its whole sequence`,
      );
    if (output > 1)
      throw new ImportError(`the cell state of ${node.label} is read, expected the hidden state`);
    if (chain.includes(node))
      throw new ImportError(`${node.label} reads itself, expected a graph without circles`);
    chain.unshift(node);
    ({ value, made } = origin(graph, node.inputs[0] ?? '', moves));
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
