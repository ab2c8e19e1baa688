/** The data cannot be used as it is. The message is one line: the place, what was found and expected, a likely fix. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
