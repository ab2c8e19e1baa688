import { ImportError } from './import-error.ts';
import type { Weights } from './network.ts';
import type { OnnxGraph } from './onnx-file.ts';

/** They move whole sequences about and compute nothing. */
export const moves = ['Identity', 'Squeeze', 'Unsqueeze', 'Transpose', 'Reshape', 'Dropout', 'Cast'];
/** What may choose the last frame for the head. */
const choices = [...moves, 'Flatten', 'Gather', 'Slice'];
const MOST_STEPS = 64;

/** The value before all that only moves it. */
export function origin(graph: OnnxGraph, name: string, passed = choices) {
  let value = name;
  for (let step = 0; step < MOST_STEPS; step++) {
    const made = graph.producer(value);
    if (made === undefined || !passed.includes(made.node.op)) return { value, made };
    value = made.node.inputs[0] ?? '';
  }
  throw new ImportError(`${name} comes from itself, expected a graph without circles`);
}

/** The weights of that name. @throws ImportError when they are computed in the graph */
export function weightsOf(graph: OnnxGraph, name: string, what: string): Weights {
  const weights = graph.constant(name);
  if (weights !== undefined) return weights;
  const by = graph.producer(name)?.node.label;
  const found = by ? `computed by ${by}` : name === '' ? 'missing' : 'not in the file';
  throw new ImportError(
    `${what}: ${found}, expected weights in the file (torch.onnx.export with do_constant_folding=True)`,
  );
}
