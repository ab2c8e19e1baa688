import { expect } from 'vitest';
import {
  highwaySize,
  newestIndex,
  newestValue,
  openPast,
  type PastLayout,
  pushFrame,
  startPast,
  writeFactors,
  writeHighwayInputs,
  writeInputs,
} from '../../src/signal/inputs.ts';

/** Floats of other streams around the one under test, so that a wrong offset shows. */
export const OFFSET = 3;

/** One stream's past, frame by frame from a slot. */
export function createPast(layout: PastLayout, firstSlot = 100, { known = true } = {}) {
  const memory = new Float32Array(OFFSET + layout.size + 4).fill(777);
  openPast(layout, memory, OFFSET, known);
  let slot = firstSlot - 1;
  return {
    memory,
    start(...frame: number[]) {
      slot++;
      startPast(layout, memory, OFFSET, Float32Array.from(frame));
      return this;
    },
    push(...frame: number[]) {
      slot++;
      pushFrame(layout, memory, OFFSET, slot, Float32Array.from(frame));
      return this;
    },
    inputs() {
      const out = new Float32Array(layout.inputSize + 2).fill(-9);
      writeInputs(layout, memory, OFFSET, slot, out, 1);
      expect([out[0], out.at(-1)]).toEqual([-9, -9]);
      return [...out.subarray(1, -1)];
    },
    highway(allFeatures: boolean, window: number, targets: readonly number[]) {
      const spec = { allFeatures, window, targets };
      const size = highwaySize(spec, layout.spec.features);
      const out = new Float32Array(size + 2).fill(-9);
      writeHighwayInputs(layout, spec, memory, OFFSET, slot, out, 1);
      expect([out[0], out.at(-1)]).toEqual([-9, -9]);
      return [...out.subarray(1, -1)];
    },
    factors(targets: readonly number[]) {
      const out = new Float32Array(targets.length);
      writeFactors(layout, memory, OFFSET, targets, out);
      return [...out];
    },
    newest: (feature: number) => newestValue(layout, memory, OFFSET, slot, feature),
    newestIndex: (feature: number) => newestIndex(layout, OFFSET, slot, feature),
  };
}
