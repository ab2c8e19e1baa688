import { readFileSync } from 'node:fs';
import {
  backwardGru,
  forwardGru,
  gruGates,
  stepGru,
  updateGruState,
  zeroGruState,
} from '../../src/cell/gru.ts';
import {
  backwardLstm,
  forwardLstm,
  lstmGates,
  stepLstm,
  updateLstmState,
  zeroLstmState,
} from '../../src/cell/lstm.ts';
import type { Nonlinearity } from '../../src/cell/nonlinearity.ts';
import { backwardRnn, forwardRnn, stepRnn, zeroRnnState } from '../../src/cell/rnn.ts';

type Vector = ArrayLike<number>;

export interface Weights {
  readonly inputWeights: Vector;
  readonly recurrentWeights: Vector;
  readonly bias: Vector;
  readonly recurrentBias?: Vector;
}

export interface State {
  readonly hiddenState: Vector;
  readonly cellState?: Vector;
}

export interface Step {
  readonly after: State;
}

export interface Gradients {
  readonly weights: Weights;
  readonly initialState: State;
  readonly inputs: readonly Vector[];
}

/** What every cell offers. Methods, because each cell asks for more of its weights and state than the table knows. */
export interface Cell {
  readonly name: 'rnn' | 'lstm' | 'gru';
  readonly gateCount: number;
  zeroState(hidden: number): State;
  step(weights: Weights, state: State, input: Vector, nonlinearity?: Nonlinearity): State;
  forward(
    weights: Weights,
    state: State,
    inputs: readonly Vector[],
    nonlinearity?: Nonlinearity,
  ): readonly Step[];
  backward(
    weights: Weights,
    tape: readonly Step[],
    hiddenGradients: readonly Vector[],
    finalGradient?: State,
  ): Gradients;
}

/** Of the LSTM or of the GRU. */
interface Gates {
  readonly inputGate?: Vector;
  readonly forgetGate?: Vector;
  readonly cellGate?: Vector;
  readonly outputGate?: Vector;
  readonly resetGate?: Vector;
  readonly updateGate?: Vector;
  readonly candidate?: Vector;
}

export interface GatedCell extends Cell {
  gates(weights: Weights, state: State, input: Vector, nonlinearity?: Nonlinearity): Gates;
  update(gates: Gates, state: State, nonlinearity?: Nonlinearity): State;
}

export const gatedCells: readonly GatedCell[] = [
  {
    name: 'lstm',
    gateCount: 4,
    zeroState: zeroLstmState,
    gates: lstmGates,
    update: updateLstmState,
    step: stepLstm,
    forward: forwardLstm,
    backward: backwardLstm,
  },
  {
    name: 'gru',
    gateCount: 3,
    zeroState: zeroGruState,
    gates: gruGates,
    update: updateGruState,
    step: stepGru,
    forward: forwardGru,
    backward: backwardGru,
  },
];

export const cells: readonly Cell[] = [
  {
    name: 'rnn',
    gateCount: 1,
    zeroState: zeroRnnState,
    step: stepRnn,
    forward: forwardRnn,
    backward: backwardRnn,
  },
  ...gatedCells,
];

/** One cell over a few steps; make_goldens.py says what is in it. */
export interface CellGolden {
  readonly name: string;
  readonly weights: Weights;
  readonly initialState: State;
  readonly inputs: readonly number[][];
  /** After the first input; a plain recurrent cell has none. */
  readonly gates: Gates;
  readonly hiddenStates: readonly number[][];
  readonly finalState: State;
  readonly lossWeights: { readonly hiddenStates: readonly number[][]; readonly finalState: State };
  readonly gradients: Gradients;
}

interface Rows {
  readonly hiddenState: readonly number[][];
  readonly cellState?: readonly number[][];
}

interface Head {
  /** V [O, H] */
  readonly weights: readonly number[];
  /** d [O] */
  readonly bias: readonly number[];
  /** S [O, I] */
  readonly skip?: readonly number[];
}

/** Two layers and a head over a minibatch [B][T][...]; make_goldens.py says what is in it. */
export interface StackGolden {
  readonly name: string;
  readonly answers: 'each' | 'last';
  readonly layers: readonly Weights[];
  readonly head: Head;
  readonly initialStates: readonly Rows[];
  readonly inputs: readonly number[][][];
  readonly targets: readonly number[][][];
  readonly outputs: readonly number[][][];
  readonly finalStates: readonly Rows[];
  readonly loss: number;
  readonly gradients: {
    readonly layers: readonly Weights[];
    readonly head: Head;
    readonly initialStates: readonly Rows[];
    readonly inputs: readonly number[][][];
  };
}

function readCases<Case>(file: string): readonly Case[] {
  const url = new URL(`../fixtures/pytorch/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}

export function readCellGoldens(cell: string): readonly CellGolden[] {
  return readCases(`cell-${cell}`);
}

export function readStackGoldens(cell: string): readonly StackGolden[] {
  return readCases(`stack-${cell}`);
}

/** Row b of a minibatch's states. */
export function stateOfRow({ hiddenState, cellState }: Rows, b: number): State {
  return cellState
    ? { hiddenState: hiddenState[b], cellState: cellState[b] }
    : { hiddenState: hiddenState[b] };
}
