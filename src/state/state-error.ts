/** A state folder that cannot be used, or a file in it. */
export class StateError extends Error {
  override readonly name: string = 'StateError';
}

/** A state folder that cannot be used where it is: the config has to name another one. */
export class StateFolderError extends StateError {
  override readonly name = 'StateFolderError';
}

/** A file whose bytes are no longer what was written. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}
