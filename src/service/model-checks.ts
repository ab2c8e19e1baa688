import { createHash } from 'node:crypto';
import type { ModelFile } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import type { Model } from '../model/model.ts';
import { formatDuration } from '../signal/duration.ts';
import { sensorFeatures } from '../stream/decode.ts';
import { checkSigned, SignatureError } from './signatures.ts';
import type { SigningKey } from './signing-keys.ts';

/** A model that a device does not take; the message is the reason. */
export class ModelRefusedError extends Error {
  override readonly name = 'ModelRefusedError';
}

/** Whether an error says something about the model itself. Another one, such as that of a full disk, is no reason not to judge it
 * again. */
export function isVerdict(error: unknown): error is Error {
  return [ModelRefusedError, ModelFormatError, SignatureError].some((kind) => error instanceof kind);
}

export interface ModelRules {
  /** Without any, a model needs no signature. */
  readonly keys: readonly SigningKey[];
  /** That this device has served. */
  readonly highestRelease: number;
  /** Takes a model that is worse than repeating the newest value, too. */
  readonly takesUnfit: boolean;
}

/** @throws SignatureError */
export function checkTrusted(file: ModelFile, keys: ModelRules['keys']): void {
  if (keys.length > 0) checkSigned(file, keys);
}

/** @throws ModelRefusedError, SignatureError */
export function checkModel(file: ModelFile, { keys, highestRelease, takesUnfit }: ModelRules): void {
  const { name, fit, release } = file.model;
  checkTrusted(file, keys);
  if (release < highestRelease) {
    throw new ModelRefusedError(
      `its release is ${release}, expected at least ${highestRelease}, which was served here; go back with cellstream rollback`,
    );
  }
  if (!fit && !takesUnfit) {
    throw new ModelRefusedError(
      `the model ${name} is not fit for use: on validation persistence or seasonal naive was better; ` +
        'train another, or serve it all the same with --force',
    );
  }
}

/** Whether one model can take the place of another while the service runs: it reads the same and answers the same.
 * @throws ModelRefusedError */
export function checkSameShape(serving: Model, model: Model): void {
  for (const [what, of] of shape) {
    const [expected, found] = [of(serving), of(model)];
    if (found === expected) continue;
    throw new ModelRefusedError(
      `its ${what} are ${found || 'none'}, expected ${expected || 'none'} as in the model that serves; a restart with another model file takes it`,
    );
  }
}

const shape: readonly (readonly [what: string, of: (model: Model) => string])[] = [
  ['features', (model) => sensorFeatures(model).join(', ')],
  ['inputs', ({ input }) => input.names.join(', ')],
  ['frames', ({ input }) => `${formatDuration(input.periodMs)}${input.shared ? ' of one feature each' : ''}`],
  ['readings of a frame', ({ input }) => (input.combine === 'mean' ? 'averaged' : 'one of each feature')],
  ['targets', ({ input, output }) => output.targets.map((target) => input.names[target]).join(', ')],
  ['horizons', ({ output }) => output.horizons.join(', ')],
];

/** A model's id, of the stored bytes of its message. */
export function modelIdOf(modelBytes: Uint8Array): string {
  return createHash('sha256').update(modelBytes).digest('hex');
}
