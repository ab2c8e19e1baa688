import { integerLimits } from '../model/limits.ts';
import { gateCount } from '../model/model.ts';
import { dequantizeMatrix, quantizeMatrix } from '../quantize/matrices.ts';
import type { MachineOptions } from '../train/machine.ts';
import type { Parameters, Topology } from '../train/parameters.ts';
import type { Run } from '../train/runs.ts';
import { type TrainedNetwork, type TrainerOptions, tuneNetwork } from '../train/trainer.ts';

const EPOCHS = 4;
/** Of the learning rate of the training. */
const RATE = 0.1;

/** Trains a network on with U and the upper layers' W rounded to 8 bits in every pass, so that the weights make up for
 * what rounding does to them. */
export function fineTune(
  { topology, runs }: { readonly topology: Topology; readonly runs: readonly Run[] },
  options: TrainerOptions,
  trained: Parameters,
  machine?: MachineOptions,
): TrainedNetwork {
  const learningRate = RATE * options.learningRate;
  const tuning = {
    from: trained.flat,
    project: (latent: Parameters, effective: Parameters) => writeRounded(topology, latent, effective),
  };
  const settings = { ...options, learningRate, epochs: EPOCHS, patience: EPOCHS };
  return tuneNetwork(topology, runs, settings, tuning, machine);
}

function writeRounded({ cell, hidden }: Topology, latent: Parameters, effective: Parameters): void {
  effective.flat.set(latent.flat);
  const shape = [gateCount[cell] * hidden, hidden];
  const round = (from: ArrayLike<number>) => {
    const values = Float32Array.from(from);
    return dequantizeMatrix(quantizeMatrix({ kind: 'float32', shape, values }, integerLimits.hidden)).values;
  };
  latent.layers.forEach(({ inputWeights, recurrentWeights }, l) => {
    effective.layers[l].recurrentWeights.set(round(recurrentWeights));
    if (l > 0) effective.layers[l].inputWeights.set(round(inputWeights));
  });
}
