const controls = /[\p{Cc}\s]+/gu;
/** Names in a file may be of any length. */
const LONGEST = 500;

/** Weights that cannot become a model. The message says what was found and what was expected, in one line. */
export class ImportError extends Error {
  override readonly name = 'ImportError';

  constructor(message: string, options?: ErrorOptions) {
    const line = message.replace(controls, ' ');
    super(line.length > LONGEST ? `${line.slice(0, LONGEST)} ...` : line, options);
  }
}
