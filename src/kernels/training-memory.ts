/** Numbers side by side in one memory that WebAssembly and every thread see. Nothing is given back: a training has a
 * memory of its own, which goes when the training's arrays go. */
export interface TrainingMemory {
  readonly floats: (length: number) => Float32Array;
  readonly indices: (length: number) => Int32Array;
  /** The address of an array that came from here.
   * @throws RangeError for any other */
  readonly addressOf: (values: Float32Array | Float64Array | Int32Array) => number;
}

const PAGE = 65536;
/** Growing by so much at once, few arrays remember an older `buffer`. */
const LEAST_GROWTH = 64 * PAGE;
/** Arrays begin at a cache line; vectors may read this far beyond the end of one. */
const LINE = 64;

/** @param firstFree where static data ends */
export function createTrainingMemory(memory: WebAssembly.Memory, firstFree: number): TrainingMemory {
  let next = align(firstFree);
  let newest = memory.buffer;
  // a memory that has grown has a new buffer; arrays in the older ones stay good
  const buffers = new WeakSet<ArrayBufferLike>([newest]);

  function take(bytes: number): number {
    const at = next;
    next = align(at + bytes) + LINE;
    const missing = next - newest.byteLength;
    if (missing > 0) {
      memory.grow(Math.ceil(Math.max(missing, LEAST_GROWTH) / PAGE));
      newest = memory.buffer;
      buffers.add(newest);
    }
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
    addressOf: (values) => {
      const { buffer } = values;
      if (buffer !== newest && !buffers.has(buffer)) {
        throw new RangeError('an array that the kernel has not allocated');
      }
      return values.byteOffset;
    },
  };
}

function align(address: number): number {
  return Math.ceil(address / LINE) * LINE;
}
