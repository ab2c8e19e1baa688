/** A bench was asked for what it cannot do. */
class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

/** @throws ArgumentError unless the text is a whole number from 1 on */
export function readCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new ArgumentError(`--${option} ${text}, expected a whole number from 1 on`);
}

/** Of `16,32,64`.
 * @throws ArgumentError as above */
export function readCounts(option: string, text: string): number[] {
  return text.split(',').map((part) => readCount(option, part));
}
