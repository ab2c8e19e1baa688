import type { cellstream } from '#proto/model.js';
import { ModelFormatError } from './format-error.ts';
import type { FloatTensor, QuantizedTensor, Tensor } from './model.ts';

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Raw little-endian bytes as float32, copied because they lie unaligned in the file. */
export function readFloat32(bytes: Uint8Array, what: string): Float32Array {
  return new Float32Array(alignedCopy(bytes, 4, what));
}

export function readFloat64(bytes: Uint8Array, what: string): Float64Array {
  return new Float64Array(alignedCopy(bytes, 8, what));
}

function alignedCopy(bytes: Uint8Array, width: number, what: string): ArrayBuffer {
  if (bytes.length % width !== 0) {
    throw new ModelFormatError(`${what}: ${bytes.length} bytes, expected a multiple of ${width}`);
  }
  return swapped(bytes, width);
}

/** The bytes of a float array, little-endian. */
export function writeFloats(values: Float32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array(swapped(bytes, values.BYTES_PER_ELEMENT));
}

function swapped(bytes: Uint8Array, width: number): ArrayBuffer {
  const copy = new Uint8Array(bytes);
  if (!littleEndian) for (let i = 0; i < copy.length; i += width) copy.subarray(i, i + width).reverse();
  return copy.buffer;
}

function checkShape(found: readonly number[], expected: readonly number[], what: string): void {
  if (found.length === expected.length && found.every((size, i) => size === expected[i])) return;
  throw new ModelFormatError(`${what}: shape [${found}], expected [${expected}]`);
}

/** No trained weight of z-scores is near it; within it no sum of float32 overflows. */
const MAX_WEIGHT = 1e6;
/** The smallest normal float32; a row of zeros has scale 1. */
const MIN_ROW_SCALE = 2 ** -126;

export function checkFinite(values: Float32Array, what: string): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new ModelFormatError(`${what}: value ${at} is ${values[at]}, expected a finite number`);
}

function checkWeights(values: Float32Array, what: string, least = -MAX_WEIGHT): void {
  const at = values.findIndex((value) => !(value >= least && value <= MAX_WEIGHT));
  if (at < 0) return;
  throw new ModelFormatError(`${what}: value ${at} is ${values[at]}, expected ${least}..${MAX_WEIGHT}`);
}

export function readFloatTensor(
  tensor: cellstream.ITensor | null | undefined,
  shape: readonly number[],
  what: string,
): FloatTensor {
  if (!tensor?.float32?.length) throw new ModelFormatError(`${what}: missing, expected float32 [${shape}]`);
  checkShape(tensor.shape ?? [], shape, what);
  const values = readFloat32(tensor.float32, what);
  const size = shape.reduce((product, n) => product * n, 1);
  if (values.length !== size)
    throw new ModelFormatError(`${what}: ${values.length} values, expected ${size}`);
  checkWeights(values, what);
  return { kind: 'float32', shape, values };
}

function readPlane(bytes: Uint8Array, size: number, what: string): Int8Array {
  if (bytes.length !== size)
    throw new ModelFormatError(`${what}: ${bytes.length} integers, expected ${size}`);
  const plane = new Int8Array(new Uint8Array(bytes).buffer);
  if (plane.includes(-128)) throw new ModelFormatError(`${what}: holds -128, expected -127..127`);
  return plane;
}

/** A matrix [rows, columns], float32 or int8. */
export function readMatrix(
  tensor: cellstream.ITensor | null | undefined,
  shape: readonly [number, number],
  what: string,
): Tensor {
  if (!tensor?.plane?.length) return readFloatTensor(tensor, shape, what);
  checkShape(tensor.shape ?? [], shape, what);
  const size = shape[0] * shape[1];
  const plane = readPlane(tensor.plane, size, what);
  const rowScales = readFloat32(tensor.rowScales ?? new Uint8Array(0), `${what} row scales`);
  if (rowScales.length !== shape[0]) {
    throw new ModelFormatError(`${what}: ${rowScales.length} row scales for ${shape[0]} rows`);
  }
  checkWeights(rowScales, `${what} row scales`, MIN_ROW_SCALE);
  const matrix: QuantizedTensor = { kind: 'int8', shape, plane, rowScales };
  return tensor.lowPlane?.length ? { ...matrix, lowPlane: readPlane(tensor.lowPlane, size, what) } : matrix;
}

export function writeTensor(tensor: Tensor): cellstream.ITensor {
  const shape = [...tensor.shape];
  if (tensor.kind === 'float32') return { shape, float32: writeFloats(tensor.values) };
  const { plane, lowPlane, rowScales } = tensor;
  return {
    shape,
    plane: new Uint8Array(plane.buffer, plane.byteOffset, plane.length),
    ...(lowPlane && { lowPlane: new Uint8Array(lowPlane.buffer, lowPlane.byteOffset, lowPlane.length) }),
    rowScales: writeFloats(rowScales),
  };
}
