/** The memory of one kernel: constants are put there one after the other, the states of the streams behind them, and only
 * they grow. */
export interface InferenceMemory {
  readonly memory: WebAssembly.Memory;
  /** Where the next thing goes. */
  next(): number;
  /** Room for that many bytes, zeros.
   * @returns its address */
  take(bytes: number): number;
  /** A copy of these numbers.
   * @returns its address */
  put(values: Float32Array | Int16Array | Int8Array): number;
}

const PAGE = 65536;
/** Things begin at a cache line; vectors may read this far beyond the end of one. */
const LINE = 64;

/** @param firstFree where the module's own data ends */
export function createInferenceMemory(memory: WebAssembly.Memory, firstFree: number): InferenceMemory {
  let next = align(firstFree);

  function take(bytes: number): number {
    const at = next;
    next = align(at + bytes) + LINE;
    growTo(memory, next);
    return at;
  }

  return {
    memory,
    next: () => next,
    take,
    put(values) {
      const { buffer, byteOffset, byteLength } = values;
      const at = take(byteLength);
      new Uint8Array(memory.buffer, at, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
      return at;
    },
  };
}

/** Makes the memory at least that long. Views of it may be stale then. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
}

function align(address: number): number {
  return Math.ceil(address / LINE) * LINE;
}
