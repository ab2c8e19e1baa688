/** A state folder that cannot be used, or a file in it. */
export class StateError extends Error {
  override readonly name = 'StateError';
}
