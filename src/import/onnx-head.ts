import { ImportError } from './import-error.ts';
import { expectShape, transpose, type Weights } from './network.ts';
import type { OnnxGraph, OnnxNode } from './onnx-file.ts';
import { origin, weightsOf } from './onnx-values.ts';

/** Gemm, or MatMul and Add. */
export interface Head {
  readonly label: string;
  /** The value that it reads. */
  readonly data: string;
  /** V [O, H] */
  readonly weights: Weights;
  /** d [O] */
  readonly bias?: Weights;
}

/** The linear head of the one output that has one: the others may be states. */
export function findHead(graph: OnnxGraph): Head {
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

/** V [O, H] and d [O], on a hidden state of that size. */
export function headWeights({ label, weights, bias }: Head, hidden: number) {
  // the bias tells the outputs even where the matrix is transposed
  const outputs = bias?.shape.at(-1) ?? weights.shape[0];
  return {
    outputs,
    head: {
      weights: expectShape(weights, [outputs, hidden], `${label} weights`),
      bias: bias ? expectShape(bias, [outputs], `${label} bias`) : new Float32Array(outputs),
    },
  };
}

function biasOf(graph: OnnxGraph, name: string | undefined, label: string): { readonly bias?: Weights } {
  if (name === undefined || name === '') return {};
  const { shape, values } = weightsOf(graph, name, `${label} bias`);
  // [O], or [1, O] and the like
  return { bias: { shape: shape.at(-1) === values.length ? shape.slice(-1) : shape, values } };
}

/** A matrix as [O, H]. */
function matrixOf(graph: OnnxGraph, { label, inputs }: OnnxNode, isTransposed: boolean): Weights {
  const { shape, values } = weightsOf(graph, inputs[1] ?? '', `${label} weights`);
  const [rows, columns] = shape;
  if (shape.length !== 2) throw new ImportError(`${label} weights: shape [${shape}], expected a matrix`);
  if (isTransposed) return { shape, values };
  return { shape: [columns, rows], values: transpose(values, rows, columns) };
}

function matMulHead(graph: OnnxGraph, node: OnnxNode, bias?: string): Head {
  const { label, inputs } = node;
  return { label, data: inputs[0], weights: matrixOf(graph, node, false), ...biasOf(graph, bias, label) };
}

/** alpha * A * B + beta * C */
function gemmHead(graph: OnnxGraph, node: OnnxNode): Head {
  const { label, attributes, inputs } = node;
  const flag = (name: string) => (attributes.get(name)?.i ?? 0) !== 0;
  for (const name of ['alpha', 'beta']) {
    const factor = attributes.get(name)?.f ?? 1;
    if (factor !== 1) throw new ImportError(`${label}: ${name} ${factor}, expected 1`);
  }
  if (flag('transA')) throw new ImportError(`${label}: transA, expected rows of hidden states`);
  const weights = matrixOf(graph, node, flag('transB'));
  return { label, data: inputs[0], weights, ...biasOf(graph, inputs[2], label) };
}
