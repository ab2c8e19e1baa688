import { describe, test } from 'vitest';
import { add, addOuterProduct, addTo, multiply, multiplyTransposed } from '../../src/math/dense.ts';
import { type Cell, cells, readStackGoldens, type StackGolden, type Step, stateOfRow } from './cells.ts';
import { expectClose } from './closeness.ts';

const TOLERANCE = 1e-12;

type Totals = Record<string, Float64Array>;

interface Run {
  /** Of the lower and of the upper layer. */
  readonly tapes: readonly (readonly Step[])[];
  readonly outputs: readonly Float64Array[];
}

function hiddenStates(tape: readonly Step[]): readonly ArrayLike<number>[] {
  return tape.map(({ after }) => after.hiddenState);
}

function zerosLike(tensors: object): Totals {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { length }]) => [name, new Float64Array(length)]),
  );
}

/** y = V h + d, + S x where the head has a skip. */
function answer({ weights: V, bias: d, skip: S }: StackGolden['head'], h: ArrayLike<number>, x: number[]) {
  const y = add(multiply(V, h), d);
  return S ? add(y, multiply(S, x)) : y;
}

/** Row b through both layers and the head. */
function forward(cell: Cell, golden: StackGolden, b: number): Run {
  const [lower, upper] = golden.layers;
  const [first, second] = golden.initialStates.map((states) => stateOfRow(states, b));
  const lowerTape = cell.forward(lower, first, golden.inputs[b]);
  const upperTape = cell.forward(upper, second, hiddenStates(lowerTape));
  const outputs = hiddenStates(upperTape).map((h, t) => answer(golden.head, h, golden.inputs[b][t]));
  return { tapes: [lowerTape, upperTape], outputs: golden.answers === 'each' ? outputs : outputs.slice(-1) };
}

/** Row b back: the head's gradients are added to `total`.
 * @param outputGradients dL/dy [T][O], zero where nothing is answered */
function backward(
  cell: Cell,
  { layers, head, inputs }: StackGolden,
  b: number,
  { tapes, outputGradients, total }: Pick<Run, 'tapes'> & { outputGradients: Float64Array[]; total: Totals },
) {
  outputGradients.forEach((dy, t) => {
    addOuterProduct(total.weights, dy, tapes[1][t].after.hiddenState);
    addTo(total.bias, dy);
    if (head.skip) addOuterProduct(total.skip, dy, inputs[b][t]);
  });
  const onHidden = outputGradients.map((dy) => multiplyTransposed(head.weights, dy));
  const upper = cell.backward(layers[1], tapes[1], onHidden);
  const lower = cell.backward(layers[0], tapes[0], upper.inputs);
  const onInputs = outputGradients.map((dy, t) =>
    head.skip ? add(lower.inputs[t], multiplyTransposed(head.skip, dy)) : lower.inputs[t],
  );
  return { layers: [lower, upper], onInputs };
}

/** dL/dy = 2 (y - target) / count at the answered steps: each, or only the last. */
function outputGradients(
  { answers, inputs, targets }: StackGolden,
  b: number,
  { outputs }: Run,
): Float64Array[] {
  const count = targets.flat(2).length;
  const skipped = answers === 'each' ? 0 : inputs[b].length - 1;
  return inputs[b].map((_, t) => {
    const target = targets[b][t - skipped] ?? [];
    return Float64Array.from(outputs[0], (_, k) =>
      t < skipped ? 0 : (2 * (outputs[t - skipped][k] - target[k])) / count,
    );
  });
}

describe.each(cells)('a stack of two $name layers with a linear head', (cell) => {
  const goldens = readStackGoldens(cell.name).map((golden): [string, StackGolden] => [golden.name, golden]);

  test.each(goldens)('answers as PyTorch does: %s', (_, golden) => {
    golden.inputs.forEach((_, b) => {
      const { tapes, outputs } = forward(cell, golden, b);
      expectClose(outputs, golden.outputs[b], TOLERANCE);
      tapes.forEach((tape, layer) => {
        expectClose(tape.at(-1)?.after, stateOfRow(golden.finalStates[layer], b), TOLERANCE);
      });
    });
  });

  test.each(goldens)('sends the gradients of its error back as PyTorch does: %s', (_, golden) => {
    const { layers, head, inputs, gradients } = golden;
    const headTotal = zerosLike(head);
    const layerTotals = layers.map(zerosLike);
    inputs.forEach((_, b) => {
      const run = forward(cell, golden, b);
      const back = backward(cell, golden, b, {
        tapes: run.tapes,
        outputGradients: outputGradients(golden, b, run),
        total: headTotal,
      });
      expectClose(back.onInputs, gradients.inputs[b], TOLERANCE);
      back.layers.forEach(({ weights, initialState }, layer) => {
        for (const [name, gradient] of Object.entries(weights)) addTo(layerTotals[layer][name], gradient);
        expectClose(initialState, stateOfRow(gradients.initialStates[layer], b), TOLERANCE);
      });
    });
    expectClose(headTotal, gradients.head, TOLERANCE);
    expectClose(layerTotals, gradients.layers, TOLERANCE);
  });
});
