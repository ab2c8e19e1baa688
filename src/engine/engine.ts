import { readModelFile } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import type { Model } from '../model/model.ts';
import { type Arena, createArena } from './arena.ts';
import { proveGolden, warmUp } from './self-test.ts';
import { createSession, type Session } from './session.ts';

/** A loaded model: immutable, shared by every stream. */
export interface Engine {
  /** SHA-256 of the model message, hex. */
  readonly id: string;
  readonly model: Model;
  /** A stream of its own, from a zero state. The name selects a channel's bias and scaler where the model has them; a
   * stream that the training did not have learns its scale from its own readings. */
  openSession(stream?: string): Session;
  /** Room for the streams of a service, stepped in batches. */
  createArena(): Arena;
}

/** Reads, validates and proves a `.pb` file on this machine: the golden vectors must come out bit for bit.
 * @throws ModelFormatError with what was found and what was expected */
export async function loadModel(bytes: Uint8Array): Promise<Engine> {
  const { model, modelBytes } = readModelFile(bytes);
  // a copy: digest refuses views of a shared buffer
  const hash = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new Uint8Array(modelBytes)));
  const failure = proveGolden(model);
  if (failure !== undefined) throw new ModelFormatError(`self-test: ${failure}`);
  warmUp(model);
  return {
    id: [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    model,
    openSession: (stream = '') => createSession(model, stream),
    createArena: () => createArena(model),
  };
}
