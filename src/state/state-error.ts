/** A state folder that cannot be used, or a file in it. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/** A file whose bytes are no longer what was written. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}
