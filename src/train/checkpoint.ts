import type { Floats } from '../kernels/training.ts';
import type { OptimizerState } from './optimizer.ts';
import type { EpochReport } from './trainer.ts';

/** All that a training is made of between two epochs. */
export interface Checkpoint extends Readonly<OptimizerState> {
  readonly parameters: Floats;
  readonly best: Floats;
  readonly bestEpoch: number;
  readonly history: readonly EpochReport[];
}

/** A checkpoint that does not belong to this training. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

const arrays = ['parameters', 'best', 'm', 'v'] as const;
const numbers = ['update', 'power1', 'power2', 'bestEpoch'] as const;

function toBase64(values: Floats): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

/** @param identity a text that is the same only for the same recipe and data */
export function encodeCheckpoint(checkpoint: Checkpoint, identity: string): string {
  const encoded = Object.fromEntries(arrays.map((name) => [name, toBase64(checkpoint[name])]));
  const plain = Object.fromEntries(numbers.map((name) => [name, checkpoint[name]]));
  return JSON.stringify({ identity, ...plain, history: checkpoint.history, ...encoded });
}

/** @param parameters how many the network has
 * @throws CheckpointError with what was found and expected */
export function decodeCheckpoint(text: string, identity: string, parameters: number): Checkpoint {
  let parsed: Record<string, unknown> | null;
  try {
    parsed = JSON.parse(text) as Record<string, unknown> | null;
  } catch (cause) {
    throw new CheckpointError('the checkpoint is damaged; train without --resume', { cause });
  }
  if (parsed?.identity !== identity) {
    throw new CheckpointError('the checkpoint is of another recipe or other data; train without --resume');
  }
  const decoded = Object.fromEntries(
    arrays.map((name) => {
      const bytes = new Uint8Array(Buffer.from(String(parsed[name]), 'base64'));
      if (bytes.length !== 4 * parameters) {
        throw new CheckpointError(`${bytes.length / 4} ${name} in the checkpoint, expected ${parameters}`);
      }
      return [name, new Float32Array(bytes.buffer)];
    }),
  );
  const { update, power1, power2, bestEpoch } = parsed;
  const history = readHistory(parsed.history);
  if (history[Number(bestEpoch)] === undefined || ![update, power1, power2].every(Number.isFinite)) {
    throw new CheckpointError('the checkpoint is damaged; train without --resume');
  }
  return { update, power1, power2, bestEpoch, history, ...decoded } as unknown as Checkpoint;
}

function readHistory(found: unknown): readonly EpochReport[] {
  if (!Array.isArray(found)) return [];
  // JSON has no NaN: the loss of epoch 0, and a validation without a truth
  return found.map((report: EpochReport) => ({
    ...report,
    loss: report.loss ?? Number.NaN,
    validation: report.validation ?? Number.NaN,
  }));
}
