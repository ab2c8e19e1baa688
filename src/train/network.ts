import type { Floats, TrainingKernel } from '../kernels/training.ts';
import { counterOf, purpose } from '../math/random.ts';
import { gateCount } from '../model/model.ts';
import type { Parameters, Topology } from './parameters.ts';
import { answeringOutput, inputOf, type LayerTape, type Tape } from './tape.ts';

/** Which elements of h a training update drops; row and unit count over the whole minibatch. */
export interface Dropout {
  readonly rate: number;
  readonly seed: number;
  readonly update: number;
  /** The minibatch row of every row of the tape. */
  readonly batchRows: Int32Array;
}

/** Called in the backward pass with dL/dh of a layer after step t, all of its paths summed; [R, H]. */
type GradientObserver = (layer: number, t: number, dh: Floats) => void;

export interface TrainableNetwork {
  /** Fills the tape from its x and initial states (h and c before the first step). */
  forward(parameters: Parameters, tape: Tape, dropout?: Dropout): void;
  /** Adds dL/dparameters to `gradients`, given the tape's dy. */
  backward(parameters: Parameters, gradients: Parameters, tape: Tape, observe?: GradientObserver): void;
}

/** One to four layers of a cell with the head y = (d + V h) + S f, and its backpropagation through time. */
export function createNetwork(kernel: TrainingKernel, topology: Topology): TrainableNetwork {
  const { cell, layers, hidden: H, inputs: I, outputs: O } = topology;
  const G = gateCount[cell] * H;
  const recurrent = cell !== 'feedforward';

  function forwardLayer(parameters: Parameters, tape: Tape, l: number): void {
    const layer = parameters.layers[l];
    const own = tape.layers[l];
    const input = inputOf(tape, l);
    kernel.pack(own.weights.input, layer.inputWeights);
    kernel.pack(own.weights.recurrent, layer.recurrentWeights);
    kernel.affine(own.zx, input, own.weights.input, layer.bias, l === 0 ? tape.biasRows : tape.sharedRows);
    const { forwardSteps: steps, weights } = own;
    kernel.forwardSteps({ cell, steps, recurrent: weights.recurrent, recurrentBias: layer.recurrentBias });
  }

  function drop({ hAfter, dropout, output }: LayerTape, l: number, tape: Tape, settings: Dropout): void {
    const { rate, seed, update, batchRows } = settings;
    const { steps, rows } = tape;
    const counters = batchRows.map((row) => counterOf(seed, purpose.dropout, update, row));
    const units = { firstUnit: l * H, unitsPerStep: layers * H };
    kernel.drop(output, dropout, hAfter, { steps, rows, hidden: H, rate, counters, ...units });
  }

  function forward(parameters: Parameters, tape: Tape, dropout?: Dropout): void {
    tape.dropped = dropout !== undefined && dropout.rate > 0;
    for (let l = 0; l < layers; l++) {
      forwardLayer(parameters, tape, l);
      if (dropout !== undefined && tape.dropped) drop(tape.layers[l], l, tape, dropout);
    }
    const { steps, rows, answersFrom, answering, weights } = tape;
    const count = (steps - answersFrom) * rows;
    kernel.pack(weights.head, parameters.headWeights);
    kernel.pack(weights.skip, parameters.skip);
    const biasRows = answering.sharedRows;
    kernel.affine(tape.y, answeringOutput(tape), weights.head, parameters.headBias, biasRows);
    kernel.multiply(tape.skipped, answering.x, weights.skip, count);
    kernel.add(tape.y, tape.skipped, count * O);
  }

  function backwardHead(parameters: Parameters, gradients: Parameters, tape: Tape): void {
    const { rows, answersFrom, answering, weights } = tape;
    const time = { steps: tape.steps - answersFrom, rows };
    kernel.accumulate(gradients.headWeights, tape.dy, answeringOutput(tape), time, O, H);
    kernel.accumulateBias(gradients.headBias, tape.dy, tape.sharedRows, time, O);
    kernel.accumulate(gradients.skip, tape.dy, answering.x, time, O, I);
    tape.layers[layers - 1].dOutput.fill(0, 0, answersFrom * rows * H);
    kernel.packBack(weights.headBack, parameters.headWeights);
    kernel.multiplyBack(answering.dOutput, tape.dy, weights.headBack, time.steps * rows, false);
  }

  function backwardLayer(
    parameters: Parameters,
    gradients: Parameters,
    tape: Tape,
    l: number,
    observe?: GradientObserver,
  ): void {
    const own = tape.layers[l];
    own.dh.fill(0);
    own.dc.fill(0);
    kernel.packBack(own.weightsBack.recurrent, parameters.layers[l].recurrentWeights);
    kernel.backwardSteps(
      { cell, steps: own.backwardSteps, dOutput: own.dOutputSteps, recurrent: own.weightsBack.recurrent },
      observe && ((t, dh) => observe(l, t, dh)),
    );
    const gradient = gradients.layers[l];
    const input = inputOf(tape, l);
    kernel.accumulate(gradient.inputWeights, own.dzx, input, tape, G, l === 0 ? I : H);
    kernel.accumulateBias(gradient.bias, own.dzx, l === 0 ? tape.biasRows : tape.sharedRows, tape, G);
    if (recurrent) kernel.accumulate(gradient.recurrentWeights, own.dzu, own.hBefore, tape, G, H);
    if (cell === 'gru') {
      const candidate = { from: 2 * H, stride: G };
      kernel.accumulateBias(gradient.recurrentBias, own.dzu, tape.sharedRows, tape, H, candidate);
    }
  }

  function backward(
    parameters: Parameters,
    gradients: Parameters,
    tape: Tape,
    observe?: GradientObserver,
  ): void {
    backwardHead(parameters, gradients, tape);
    for (let l = layers - 1; l >= 0; l--) {
      const { dOutput, dropout } = tape.layers[l];
      if (tape.dropped) kernel.scale(dOutput, dropout, dOutput.length);
      backwardLayer(parameters, gradients, tape, l, observe);
      if (l === 0) return;
      const below = tape.layers[l - 1].dOutput;
      const { weightsBack, dzx } = tape.layers[l];
      kernel.packBack(weightsBack.input, parameters.layers[l].inputWeights);
      kernel.multiplyBack(below, dzx, weightsBack.input, tape.steps * tape.rows, false);
    }
  }

  return { forward, backward };
}
