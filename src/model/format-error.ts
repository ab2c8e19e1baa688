/** A model file that cannot be used: the message says what was found and what was expected. */
export class ModelFormatError extends Error {
  override readonly name = 'ModelFormatError';
}
