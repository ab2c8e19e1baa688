import type { Dataset, Split } from '../src/data/dataset.ts';
import type { Model } from '../src/model/model.ts';
import { layoutPast, pushFrame, startPast, writeInputs } from '../src/signal/inputs.ts';
import { normalizeFrame } from '../src/signal/scaler.ts';
import { createDice } from '../test/fixtures/random-model.ts';

/** How much of a z-score is left after a frame. */
const KEPT = 0.99;
/** Uniform noise of that reach makes the walk's variance 1. */
const NOISE = Math.sqrt(3 * (1 - KEPT * KEPT));

interface WalkOptions {
  readonly seed: number;
  readonly length: number;
  /** Frames of training and validation; the rest is for what is measured. */
  readonly calibration: number;
}

/** One stream whose features walk at random about their means. */
export function createWalk(
  { input }: Model,
  { seed, length, calibration }: WalkOptions,
): { dataset: Dataset; split: Split } {
  const { features, scalers, periodMs, names } = input;
  const dice = createDice(seed);
  const walks = new Float64Array(features);
  const values = Float32Array.from({ length: length * features }, (_, i) => {
    const k = i % features;
    walks[k] = KEPT * walks[k] + NOISE * (2 * dice.next() - 1);
    return scalers[2 * k] + scalers[2 * k + 1] * walks[k];
  });
  const present = new Uint8Array(length).fill(1);
  const counts = {
    rows: length,
    applied: length,
    merged: 0,
    duplicate: 0,
    missing: 0,
    late: 0,
    malformed: 0,
  };
  const series = [{ stream: 'walk', firstSlot: 0, length, values, present }];
  return {
    dataset: { periodMs, features: names, series, sha256: '', counts },
    split: { start: 0, trainEnd: calibration >> 1, validationEnd: calibration, end: length },
  };
}

/** What the network sees of the one stream of a data set without gaps, [length, I]. */
export function networkInputs({ input }: Model, { series: [{ length, values }] }: Dataset): Float32Array {
  const past = layoutPast(input);
  const memory = new Float32Array(past.size);
  const inputs = new Float32Array(length * past.inputSize);
  for (let slot = 0; slot < length; slot++) {
    const frame = values.slice(slot * input.features, (slot + 1) * input.features);
    normalizeFrame(frame, input.scalers, 0);
    if (slot === 0) startPast(past, memory, 0, frame);
    else pushFrame(past, memory, 0, slot, frame);
    writeInputs(past, memory, 0, slot, inputs, slot * past.inputSize);
  }
  return inputs;
}
