import { describe, test } from 'vitest';
import type { TrainingKernel } from '../../src/kernels/training.ts';
import { createLoss } from '../../src/train/losses.ts';
import { createParameters, type LayerParameters } from '../../src/train/parameters.ts';
import { readCellGoldens, readStackGoldens, type StackGolden, type Weights } from '../cell/cells.ts';
import { expectClose } from '../cell/closeness.ts';
import type { Net } from './nets.ts';
import { makeCellNet, makeStackNet, type RecurrentCell, rowsAt } from './stack-net.ts';

interface Precision {
  readonly kernel: TrainingKernel;
  readonly tolerance: number;
}

function named<Golden extends { readonly name: string }>(goldens: readonly Golden[]): [string, Golden][] {
  return goldens.map((golden) => [golden.name, golden]);
}

/** Those that PyTorch has too. */
function sameNames(layer: LayerParameters, weights: Weights): Record<string, unknown> {
  return Object.fromEntries(Object.keys(weights).map((name) => [name, layer[name as keyof Weights]]));
}

/** Step t of the states of all layers, in the form of the goldens. */
function statesAt({ tape, topology }: Net, t: number, withCell: boolean) {
  const at = (values: Net['tape']['x']) => rowsAt(values, t, tape.rows, topology.hidden);
  return tape.layers.map(({ h, c }) => ({ hiddenState: at(h), ...(withCell && { cellState: at(c) }) }));
}

/** dL/dh and dL/dc of the states before the first step: what the backward pass leaves behind. */
function initialGradients({ tape, topology }: Net, withCell: boolean) {
  const at = (values: Net['tape']['x']) => rowsAt(values, 0, tape.rows, topology.hidden);
  return tape.layers.map(({ dh, dc }) => ({ hiddenState: at(dh), ...(withCell && { cellState: at(dc) }) }));
}

/** dL/dy of the mean squared error, by the trainer's own loss. */
function writeSlopes({ tape, topology, kernel }: Net, { targets }: StackGolden): void {
  const loss = createLoss('mse', kernel.precision);
  const { round } = kernel.precision;
  const O = topology.outputs;
  const weight = round(1 / tape.y.length);
  targets.forEach((steps, b) => {
    steps.forEach((truths, t) => {
      truths.forEach((truth, o) => {
        const at = (t * tape.rows + b) * O + o;
        tape.dy[at] = round(weight * loss.slope(round(tape.y[at] - truth)));
      });
    });
  });
}

/** The trainer's network against PyTorch. */
export function describeGoldens(cell: RecurrentCell, { kernel, tolerance }: Precision): void {
  const withCell = cell === 'lstm';

  describe(`a stack of ${cell} layers`, () => {
    test.each(named(readStackGoldens(cell)))('answers as PyTorch does: %s', (_, golden) => {
      const net = makeStackNet(kernel, cell, golden);
      const { network, parameters, tape, topology } = net;
      network.forward(parameters, tape);
      golden.outputs[0].forEach((_, t) => {
        const expected = golden.outputs.map((steps) => steps[t]);
        expectClose(rowsAt(tape.y, t, tape.rows, topology.outputs), expected, tolerance);
      });
      expectClose(statesAt(net, tape.steps, withCell), golden.finalStates, tolerance);
    });

    test.each(named(readStackGoldens(cell)))('sends gradients back as PyTorch does: %s', (_, golden) => {
      const net = makeStackNet(kernel, cell, golden);
      const { network, parameters, tape, topology } = net;
      network.forward(parameters, tape);
      writeSlopes(net, golden);
      const gradients = createParameters(kernel, topology);
      network.backward(parameters, gradients, tape);
      golden.gradients.layers.forEach((expected, l) => {
        expectClose(sameNames(gradients.layers[l], expected), expected, tolerance, `layer ${l}`);
      });
      const { weights, bias, skip } = golden.gradients.head;
      expectClose(gradients.headWeights, weights, tolerance, 'head');
      expectClose(gradients.headBias, bias, tolerance, 'head bias');
      if (skip) expectClose(gradients.skip, skip, tolerance, 'skip');
      expectClose(initialGradients(net, withCell), golden.gradients.initialStates, tolerance, 'states');
    });
  });

  describe(`one ${cell} layer`, () => {
    test.each(named(readCellGoldens(cell)))('follows a sequence as PyTorch does: %s', (_, golden) => {
      const net = makeCellNet(kernel, cell, golden);
      net.network.forward(net.parameters, net.tape);
      const { outputs } = net.topology;
      golden.hiddenStates.forEach((expected, t) => {
        expectClose(rowsAt(net.tape.y, t, 1, outputs), [expected], tolerance);
      });
      const [{ hiddenState, cellState }] = statesAt(net, net.tape.steps, withCell);
      const found = { hiddenState: hiddenState[0], ...(cellState && { cellState: cellState[0] }) };
      expectClose(found, golden.finalState, tolerance);
    });

    // the trainer's loss never sees c, as that of these LSTM goldens does
    if (withCell) return;
    test.each(named(readCellGoldens(cell)))('sends gradients back as PyTorch does: %s', (_, golden) => {
      const net = makeCellNet(kernel, cell, golden);
      const { network, parameters, tape, topology } = net;
      const { hiddenStates, finalState } = golden.lossWeights;
      network.forward(parameters, tape);
      tape.dy.set(hiddenStates.flat());
      const last = tape.dy.subarray(tape.dy.length - topology.outputs);
      kernel.add(last, Float64Array.from(finalState.hiddenState), last.length);
      const gradients = createParameters(kernel, topology);
      network.backward(parameters, gradients, tape);
      const expected = golden.gradients.weights;
      expectClose(sameNames(gradients.layers[0], expected), expected, tolerance);
      const { hiddenState } = golden.gradients.initialState;
      expectClose(initialGradients(net, false), [{ hiddenState: [hiddenState] }], tolerance);
    });
  });
}
