import type { Model } from '../model/model.ts';

/** Frames to step at once, of distinct slots. The arrays are [batchLimit]. */
export interface Batch {
  readonly slots: Int32Array;
  readonly phases: Int32Array;
  /** Which of the per-channel biases and highways: 0 is everybody's. */
  readonly channels: Int32Array;
}

/** An implementation of the time step. It owns the memory of all slots: [slots, stride], in each the states
 * [P, layers, h then c] first, then `extra` floats that the caller keeps there. */
export interface StepKernel {
  readonly stateSize: number;
  readonly stride: number;
  readonly batch: Batch;
  /** I + D floats a frame. */
  readonly inputSize: number;
  /** [batchLimit, I + D]: f, then the highway's v. */
  readonly inputs: Float32Array;
  /** [batchLimit, O]: increments, or plain values, as z-scores. */
  readonly outputs: Float32Array;
  /** The floats of all slots. Views taken before a `reserve` that grew them are stale. */
  memory(): Float32Array;
  /** Makes room for that many slots; new ones are zero. */
  reserve(slots: number): void;
  /** Advances the slots of the batch's positions from..to-1 by one time step. Allocates nothing and checks nothing. */
  step(from: number, to: number): void;
}

export interface KernelOptions {
  /** Floats a slot beside its states. */
  readonly extra: number;
  readonly batchLimit: number;
}

export type CreateKernel = (model: Model, options: KernelOptions) => StepKernel;
