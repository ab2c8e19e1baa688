import type { RawFrame } from '../../src/engine/session.ts';
import type { Model } from '../../src/model/model.ts';
import { createDice, hourMs } from '../fixtures/random-model.ts';

export const firstSlot = 380_000;

/** The bits of float32 numbers: NaN equals NaN, 0 is not -0. */
export function bits(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}

/** A sensor's life: mostly frame after frame, with values missing, gaps short and long, and frames that come late. */
export function randomFrames(seed: number, { input }: Model, count: number): RawFrame[] {
  const dice = createDice(seed);
  let slot = firstSlot + dice.int(-5, 5);
  return Array.from({ length: count }, () => {
    const isLate = dice.chance(0.06);
    if (!isLate) {
      const isLong = dice.chance(0.03);
      slot +=
        1 + (isLong ? input.gapLimit + dice.int(0, 3) : dice.chance(0.1) ? dice.int(0, input.gapLimit) : 0);
    }
    const timeMs = (slot - (isLate ? dice.int(0, 4) : 0)) * hourMs + dice.int(0, hourMs - 1);
    const values = Array.from({ length: input.features }, (_, k) =>
      dice.chance(0.08) ? Number.NaN : 20 * (k + 1) + 8 * (dice.next() - 0.5),
    );
    return { timeMs, values };
  });
}

/** Frames of consecutive slots. */
export function steadyFrames(
  seed: number,
  { input }: Model,
  count: number,
): { timeMs: number; values: number[] }[] {
  const dice = createDice(seed);
  return Array.from({ length: count }, (_, i) => ({
    timeMs: (firstSlot + i) * hourMs,
    values: Array.from({ length: input.features }, (_, k) => 20 * (k + 1) + 8 * (dice.next() - 0.5)),
  }));
}
