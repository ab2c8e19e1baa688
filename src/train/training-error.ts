/** A training that cannot go on, and what to change. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
}
