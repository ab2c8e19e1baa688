import { ImportError } from './import-error.ts';
import type { Weights } from './network.ts';
import { bytesOf, type NumberFormat, readNumbers } from './numbers.ts';

/** The names of a file, each with a way to read it: what is not used may be of any type. */
export type StateDict = ReadonlyMap<string, StoredTensor>;

export interface StoredTensor {
  readonly shape: readonly number[];
  /** @throws ImportError when it does not hold floating-point weights */
  read(): Weights;
}

const formats: Readonly<Record<string, NumberFormat>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

const PREFIX_BYTES = 8;
/** Hundreds of thousands of names: more than any recurrent network has. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** Reads a safetensors file: 8 bytes of header length, a JSON header, then the bytes of all tensors.
 * https://github.com/huggingface/safetensors#format */
export function readSafetensors(bytes: Uint8Array): StateDict {
  if (bytes.length < PREFIX_BYTES)
    throw new ImportError(`${bytes.length} bytes, expected a safetensors file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  const most = Math.min(MAX_HEADER_BYTES, bytes.length - PREFIX_BYTES);
  if (headerLength > most) {
    throw new ImportError(`a header of ${headerLength} bytes, expected at most the ${most} that follow`);
  }
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength));
  const data = bytes.subarray(PREFIX_BYTES + headerLength);
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  return new Map(names.map((name) => [name, storedTensor(name, header[name], data)]));
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImportError('a header that is no JSON, expected a safetensors file', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new ImportError('a header that is no map of tensors, expected a safetensors file');
  return header as Record<string, unknown>;
}

function storedTensor(name: string, entry: unknown, data: Uint8Array): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw new ImportError(`tensor ${name}: expected dtype, shape and data_offsets of whole numbers`);
  }
  const [begin, end] = offsets;
  if (begin > end || end > data.length) {
    throw new ImportError(
      `tensor ${name}: bytes ${begin}..${end}, expected them among the ${data.length} of the file (cut short?)`,
    );
  }
  return { shape, read: () => readTensor(name, dtype, shape, data.subarray(begin, end)) };
}

function readTensor(name: string, dtype: string, shape: readonly number[], bytes: Uint8Array): Weights {
  const format = formats[dtype];
  if (format === undefined) {
    throw new ImportError(`tensor ${name}: ${dtype}, expected ${Object.keys(formats).join(', ')}`);
  }
  const expected = shape.reduce((product, size) => product * size, bytesOf[format]);
  if (bytes.length !== expected) {
    throw new ImportError(
      `tensor ${name}: ${bytes.length} bytes, expected ${expected} for ${dtype} [${shape}]`,
    );
  }
  return { shape, values: readNumbers(bytes, format, `tensor ${name}`) };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
