/** Numbers side by side in one memory that WebAssembly and every thread see. Nothing is given back: a training has a
 * memory of its own, which goes when the training's arrays go. */
export interface TrainingMemory {
  readonly floats: (length: number) => Float32Array;
  readonly indices: (length: number) => Int32Array;
  readonly doubles: (length: number) => Float64Array;
  /** The address of an array that came from here.
   * @throws RangeError for an array on the heap */
  readonly addressOf: (values: Float32Array | Float64Array | Int32Array) => number;
}

const PAGE = 65536;
/** Growing is a system call. */
const LEAST_GROWTH = 64 * PAGE;
/** Arrays begin at a cache line; vectors may read this far beyond the end of one. */
const LINE = 64;

/** @param firstFree where static data ends */
export function createTrainingMemory(memory: WebAssembly.Memory, firstFree: number): TrainingMemory {
  let next = align(firstFree);

  function take(bytes: number): number {
    const at = next;
    next = align(at + bytes) + LINE;
    const missing = next - memory.buffer.byteLength;
    // arrays made before stay good: shared memory grows where it is
    if (missing > 0) memory.grow(Math.ceil(Math.max(missing, LEAST_GROWTH) / PAGE));
    return at;
  }

  return {
    floats: (length) => {
      const at = take(4 * length);
      return new Float32Array(memory.buffer, at, length);
    },
    indices: (length) => {
      const at = take(4 * length);
      return new Int32Array(memory.buffer, at, length);
    },
    doubles: (length) => {
      const at = take(8 * length);
      return new Float64Array(memory.buffer, at, length);
    },
    addressOf: (values) => {
      const { byteOffset } = values;
      // an array of its own begins at 0; reading `buffer` would take longer than a small kernel
      if (byteOffset < firstFree) throw new RangeError('an array that the kernel has not allocated');
      return byteOffset;
    },
  };
}

function align(address: number): number {
  return Math.ceil(address / LINE) * LINE;
}
