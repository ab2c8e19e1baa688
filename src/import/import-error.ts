/** Weights that cannot become a model. The message says what was found and what was expected. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}
