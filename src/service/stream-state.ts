import { cellstream } from '#proto/state.js';
import type { Health } from '../engine/forecast.ts';
import { type Model, outputSize } from '../model/model.ts';
import { REMEMBERED } from '../signal/align.ts';
import { StateError } from '../state/state-error.ts';
import type { StreamMemory } from '../stream/pipeline.ts';
import type { AlignedStream } from '../stream/stream-table.ts';
import type { Monitor } from './monitor.ts';

/** By their numbers in proto/state.proto. */
const healths: readonly Health[] = ['cold', 'warming', 'warm'];

export interface KeptStreams {
  readonly memory: StreamMemory;
  readonly monitor: Monitor;
}

/** All that is known of a stream, as bytes. */
export function saveStream({ name, aligner }: AlignedStream, { memory, monitor }: KeptStreams): Uint8Array {
  const { arena } = memory;
  const { floats, lastSlot, age } = arena.save(arena.open(name));
  const answer = monitor.save(name);
  const { StreamState } = cellstream;
  return StreamState.encode({
    ...{ stream: name, aligner: aligner.save(), slot: bytesOf(floats), lastSlot, age },
    ...(answer && {
      answer: {
        timeMs: answer.timeMs,
        health: healths.indexOf(answer.health),
        values: bytesOf(answer.values),
        factors: bytesOf(answer.factors),
      },
    }),
  }).finish();
}

/** Of the stream that was saved. */
export function nameOfState(state: Uint8Array): string {
  return cellstream.StreamState.decode(state).stream;
}

/** Puts a stream back as it was saved.
 * @param isAligned false where frames are closed in another way now: then those that were open are left out
 * @returns its name; undefined where there are as many streams as there may be
 * @throws StateError for a state of another shape */
export function restoreStream(
  state: Uint8Array,
  { memory, monitor }: KeptStreams,
  { input, output }: Model,
  isAligned: boolean,
): string | undefined {
  // encoded by protobuf, an absent field is the default of its type
  const saved = cellstream.StreamState.decode(state);
  const name = saved.stream ?? '';
  const stream = memory.table.open(name);
  if (stream === undefined) return undefined;
  const at = memory.arena.open(name);
  const floats = floatsOf(saved.slot, memory.arena.save(at).floats.length, `the slot of ${name}`);
  const seen = 2 + (REMEMBERED + 1) * input.features;
  const aligner = saved.aligner ?? [];
  if (aligner.length <= seen)
    throw new StateError(`${aligner.length} numbers of an aligner, expected more than ${seen}`);
  stream.aligner.restore(isAligned ? aligner : [...aligner.slice(0, seen), 0]);
  memory.arena.restore(at, { floats, lastSlot: saved.lastSlot ?? 0, age: saved.age ?? 0 });
  const { answer } = saved;
  if (!answer) return name;
  monitor.restore(name, {
    timeMs: answer.timeMs ?? 0,
    health: healths[answer.health ?? 0] ?? 'cold',
    values: floatsOf(answer.values, outputSize(output), `the answer of ${name}`),
    factors: floatsOf(answer.factors, output.targets.length, `the factors of ${name}`),
  });
  return name;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A copy: bytes of a file lie at any address. */
function floatsOf(bytes: Uint8Array | null | undefined, count: number, what: string): Float32Array {
  if (bytes?.length !== 4 * count)
    throw new StateError(`${bytes?.length ?? 0} bytes of ${what}, expected ${4 * count}`);
  const floats = new Float32Array(count);
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}
