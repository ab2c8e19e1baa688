import type { Dataset, Series } from '../data/dataset.ts';
import { createScalarKernel } from '../kernels/scalar.ts';
import { highwaySpec, isKnownStream, type Model, outputSize, pointIndex, stateSize } from '../model/model.ts';
import { spreadQuantiles } from '../model/quantiles.ts';
import {
  layoutPast,
  newestValue,
  openPast,
  pushFrame,
  startPast,
  swingIndex,
  writeFactors,
  writeHighwayInputs,
  writeInputs,
} from '../signal/inputs.ts';
import { denormalize, normalize } from '../signal/scaler.ts';
import { phaseOf, planAdvance } from '../signal/slots.ts';

/** One stream through a model, by the scalar kernel and signal/ alone. The engine composes them anew, for many streams
 * at once, and is held to the same bits by the golden vectors. */
export interface StreamRun {
  /** Takes the raw frame [F] of a slot (NaN: missing), after the missing ones before it.
   * @returns the answers in raw units [O], overwritten by the next call; undefined when the model does not answer */
  step(slot: number, values: ArrayLike<number>): Float32Array | undefined;
  /** [P, layers, h then c] */
  readonly state: Float32Array;
  /** h of every layer after the last step, [layers, H]. */
  readonly hidden: Float32Array;
  /** y of the last step as z-scores, quantiles in their places, before they are scaled to the stream and the newest value
   * is added: [O]. */
  readonly increments: Float32Array;
}

export function createStreamRun(model: Model, stream: string): StreamRun {
  const { input, output, architecture } = model;
  const { features, scalers, gapLimit } = input;
  const { phases, segment, layers, hidden } = architecture;
  const highway = highwaySpec(model);
  const past = layoutPast(input, highway?.window);
  const kernel = createScalarKernel(model, { extra: past.size, batchLimit: 1 });
  kernel.reserve(1);
  const memory = kernel.memory();
  const state = memory.subarray(0, kernel.stateSize);
  const channel = input.channels.indexOf(stream) + 1;
  const frame = new Float32Array(features);
  const answers = new Float32Array(outputSize(output));
  const factors = new Float32Array(output.targets.length);
  const rowsPerTarget = answers.length / output.targets.length;
  const quantiles = Math.max(1, output.quantiles.length);
  const point = pointIndex(output);
  const size = stateSize(architecture);
  const hiddenStates = new Float32Array(size > 0 ? layers * hidden : 0);
  let lastSlot = Number.NaN;
  let age = 0;
  kernel.batch.channels[0] = channel;
  openPast(past, memory, kernel.stateSize, isKnownStream(input, stream));

  function keepHidden(phase: number): void {
    if (size === 0) return;
    for (let l = 0; l < layers; l++) {
      const at = (phase * layers + l) * size;
      for (let j = 0; j < hidden; j++) hiddenStates[l * hidden + j] = state[at + j];
    }
  }

  function advance(slot: number): boolean {
    kernel.batch.phases[0] = phaseOf(slot, phases);
    writeInputs(past, memory, kernel.stateSize, slot, kernel.inputs, 0);
    if (highway)
      writeHighwayInputs(past, highway, memory, kernel.stateSize, slot, kernel.inputs, past.inputSize);
    kernel.step(0, 1);
    // kept before `output: last` starts over from zero
    keepHidden(phaseOf(slot, phases));
    lastSlot = slot;
    age++;
    if (segment === 0) return true;
    if (age < segment) return false;
    state.fill(0);
    age = 0;
    return true;
  }

  function step(slot: number, values: ArrayLike<number>): Float32Array | undefined {
    const plan = planAdvance(lastSlot, slot, gapLimit);
    if (plan === 'late') return undefined;
    if (plan !== 'restart') {
      frame.fill(Number.NaN);
      for (let missed = slot - plan; missed < slot; missed++) {
        pushFrame(past, memory, kernel.stateSize, missed, frame);
        advance(missed);
      }
    }
    for (let k = 0; k < features; k++) {
      const scaler = 2 * (channel * features + k);
      frame[k] = normalize(Math.fround(values[k]), scalers[scaler], scalers[scaler + 1]);
    }
    if (plan === 'restart') {
      state.fill(0);
      age = 0;
      startPast(past, memory, kernel.stateSize, frame);
    } else {
      pushFrame(past, memory, kernel.stateSize, slot, frame);
    }
    if (!advance(slot)) return undefined;
    writeFactors(past, memory, kernel.stateSize, output.targets, factors);
    output.targets.forEach((target, m) => {
      const swing = swingIndex(past, kernel.stateSize, target);
      const from = m * rowsPerTarget;
      spreadQuantiles(kernel.outputs, from, from + rowsPerTarget, quantiles, point, memory, swing);
    });
    for (let o = 0; o < answers.length; o++) {
      const m = Math.floor(o / rowsPerTarget);
      const target = output.targets[m];
      const scaler = 2 * (channel * features + target);
      const newest = newestValue(past, memory, kernel.stateSize, slot, target);
      const z = output.plain
        ? kernel.outputs[o]
        : Math.fround(newest + Math.fround(factors[m] * kernel.outputs[o]));
      answers[o] = denormalize(z, scalers[scaler], scalers[scaler + 1]);
    }
    return answers;
  }

  return { step, state, hidden: hiddenStates, increments: kernel.outputs };
}

/** Streams a series from its first row, as a service would: rows that were not read are gaps. */
export function walkSeries(
  model: Model,
  { series, features }: Dataset,
  index: number,
  visit: (row: number, answers: Float32Array) => void,
): void {
  const one: Series = series[index];
  const run = createStreamRun(model, one.stream);
  for (let row = 0; row < one.length; row++) {
    if (one.present[row] === 0) continue;
    const values = one.values.subarray(row * features.length, (row + 1) * features.length);
    const answers = run.step(one.firstSlot + row, values);
    if (answers) visit(row, answers);
  }
}
