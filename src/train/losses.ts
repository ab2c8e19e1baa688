import type { Precision } from '../kernels/training.ts';

export type LossKind = 'mse' | 'mae' | 'huber';

/** A loss of one error e = forecast - truth, in z units, and its slope dL/de. */
export interface Loss {
  readonly value: (error: number) => number;
  readonly slope: (error: number) => number;
}

/** From this error on Huber's loss is linear: one standard deviation of the target. */
const HUBER_DELTA = 1;

export function createLoss(kind: LossKind, { round }: Precision): Loss {
  const losses: Record<LossKind, Loss> = {
    mse: { value: (e) => e * e, slope: (e) => round(2 * e) },
    mae: { value: (e) => Math.abs(e), slope: (e) => Math.sign(e) },
    huber: {
      value: (e) =>
        Math.abs(e) <= HUBER_DELTA ? 0.5 * e * e : HUBER_DELTA * (Math.abs(e) - 0.5 * HUBER_DELTA),
      slope: (e) => Math.max(-HUBER_DELTA, Math.min(HUBER_DELTA, e)),
    },
  };
  return losses[kind];
}
