import { ImportError } from './import-error.ts';
import type { OnnxGraph } from './onnx-file.ts';

/** What hands on zeros when it is given zeros. */
const carriers = [
  ...['Identity', 'Squeeze', 'Unsqueeze', 'Transpose', 'Reshape', 'Expand', 'Slice', 'Gather', 'Cast'],
];
const MOST_STEPS = 64;

/** An initial state must be zero: a stream starts from there. An input of the graph is the caller's own state, which the
 * engine keeps. */
export function checkZeroState(graph: OnnxGraph, name: string, label: string): void {
  if (name === '' || isZero(graph, name, MOST_STEPS)) return;
  throw new ImportError(`${label}: an initial state ${name} that is not known to be zero, expected zeros`);
}

function isZero(graph: OnnxGraph, name: string, steps: number): boolean {
  if (graph.inputs.has(name)) return true;
  const node = graph.producer(name)?.node;
  if (node === undefined || node.op === 'Constant') return isZeroConstant(graph, name);
  if (node.op === 'ConstantOfShape') {
    const value = node.attributes.get('value')?.t;
    const bytes = [value?.rawData, value?.floatData, value?.doubleData].flatMap((part) => [...(part ?? [])]);
    return bytes.every((byte) => byte === 0);
  }
  return carriers.includes(node.op) && steps > 0 && isZero(graph, node.inputs[0] ?? '', steps - 1);
}

function isZeroConstant(graph: OnnxGraph, name: string): boolean {
  return graph.constant(name)?.values.every((value) => value === 0) ?? false;
}
