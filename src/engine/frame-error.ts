/** A frame that cannot be a frame of this model. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}
