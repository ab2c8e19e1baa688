import { ImportError } from './import-error.ts';

export type NumberFormat = 'float16' | 'bfloat16' | 'float32' | 'float64';

export const bytesOf: Readonly<Record<NumberFormat, number>> = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};

/** No trained weight is beyond it, and no model file holds one (model/tensors.ts). */
const MAX_WEIGHT = 1e6;

/** Little-endian numbers as float32: exact from the 16-bit formats, rounded once from float64.
 * @throws ImportError for a number that can be no weight */
export function readNumbers(bytes: Uint8Array, format: NumberFormat, what: string): Float32Array {
  // so that no size of a shape is larger than the file
  if (bytes.length === 0) throw new ImportError(`${what}: no values, expected some`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = bytesOf[format];
  const values = new Float32Array(bytes.length / width);
  for (let i = 0; i < values.length; i++) {
    const value = readers[format](view, i * width);
    if (!(Math.abs(value) <= MAX_WEIGHT)) {
      throw new ImportError(`${what}: value ${i} is ${value}, expected a weight within ${MAX_WEIGHT}`);
    }
    values[i] = value;
  }
  return values;
}

const readers: Readonly<Record<NumberFormat, (view: DataView, at: number) => number>> = {
  float16: (view, at) => fromHalf(view.getUint16(at, true)),
  bfloat16: (view, at) => fromUpperHalf(view.getUint16(at, true)),
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

/** IEEE binary16: 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // subnormal numbers have no hidden 1
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
function fromUpperHalf(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}
