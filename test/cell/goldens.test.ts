import { describe, expect, test } from 'vitest';
import { tanh } from '../../src/math/activations.ts';
import { type CellGolden, cells, gatedCells, readCellGoldens } from './cells.ts';
import { expectClose } from './closeness.ts';

const precisions = [
  { title: 'in float64', nonlinearity: {}, tolerance: 1e-12 },
  { title: 'with the float32 tanh of trainer and engine', nonlinearity: { tanh }, tolerance: 1e-5 },
];

function named(golden: CellGolden): [string, CellGolden] {
  return [golden.name, golden];
}

describe.each(precisions)('$title', ({ nonlinearity, tolerance }) => {
  describe.each(gatedCells)('the $name cell', (cell) => {
    const goldens = readCellGoldens(cell.name).map(named);

    test.each(goldens)(
      'opens its gates as PyTorch does: %s',
      (_, { weights, initialState, inputs, gates }) => {
        expectClose(cell.gates(weights, initialState, inputs[0], nonlinearity), gates, tolerance);
      },
    );

    test.each(goldens)('updates its state from the gates as PyTorch does: %s', (_, golden) => {
      const { hiddenState } = cell.update(golden.gates, golden.initialState, nonlinearity);
      expectClose(hiddenState, golden.hiddenStates[0], tolerance);
    });
  });

  describe.each(cells)('the $name cell', (cell) => {
    const goldens = readCellGoldens(cell.name).map(named);

    test.each(goldens)('steps as PyTorch does: %s', (_, { weights, initialState, inputs, hiddenStates }) => {
      const { hiddenState } = cell.step(weights, initialState, inputs[0], nonlinearity);
      expectClose(hiddenState, hiddenStates[0], tolerance);
    });

    test.each(goldens)('follows a sequence as PyTorch does: %s', (_, golden) => {
      const tape = cell.forward(golden.weights, golden.initialState, golden.inputs, nonlinearity);
      const states = tape.map(({ after }) => after);
      expectClose(
        states.map(({ hiddenState }) => hiddenState),
        golden.hiddenStates,
        tolerance,
      );
      expectClose(states.at(-1), golden.finalState, tolerance);
    });

    test.each(goldens)('sends gradients back as PyTorch does: %s', (_, golden) => {
      const { weights, initialState, inputs, lossWeights } = golden;
      const tape = cell.forward(weights, initialState, inputs, nonlinearity);
      const gradients = cell.backward(weights, tape, lossWeights.hiddenStates, lossWeights.finalState);
      expectClose(gradients, golden.gradients, tolerance);
    });
  });
});

test.each(cells)('the $name cell leaves the state that it is given as it was', (cell) => {
  const [golden] = readCellGoldens(cell.name);
  const before = structuredClone(golden.initialState);
  cell.step(golden.weights, golden.initialState, golden.inputs[0]);
  expect(golden.initialState).toEqual(before);
});
