/** The arguments cannot be used as they are. The message is one line: what was found, expected, a likely fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
