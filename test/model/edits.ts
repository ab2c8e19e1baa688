import { cellstream } from '#proto/model.js';
import { readModelFile } from '../../src/model/format.ts';
import { ModelFormatError } from '../../src/model/format-error.ts';

/** A message with all its fields there to be changed. */
export type Draft = Required<cellstream.IModel> & {
  architecture: cellstream.IArchitecture;
  input: cellstream.IInput;
  output: cellstream.IOutput;
  layers: cellstream.ILayer[];
  head: cellstream.IHead;
  highway: cellstream.IHighway;
  calibration: cellstream.ICalibration;
  training: cellstream.ITraining;
  golden: cellstream.IGolden;
};

/** The file with something changed in its message, as no writer of ours would. */
export function edit(file: Uint8Array, change: (draft: Draft) => void): Uint8Array {
  const draft = cellstream.Model.decode(readModelFile(file).modelBytes) as unknown as Draft;
  change(draft);
  return seal(cellstream.Model.encode(draft).finish());
}

/** Model bytes in their envelope. */
export function seal(model: Uint8Array): Uint8Array {
  return cellstream.Envelope.encode({ model }).finish();
}

/** A length-delimited field. */
export function field(number: number, payload: Uint8Array): Uint8Array {
  return new Uint8Array([...varint((number << 3) | 2), ...varint(payload.length), ...payload]);
}

export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

/** Bytes of float32 with one value replaced. */
export function withFloat(bytes: Uint8Array | null | undefined, at: number, value: number): Uint8Array {
  const values = new Float32Array(new Uint8Array(bytes ?? []).buffer);
  values[at] = value;
  return new Uint8Array(values.buffer);
}

/** Overwrites fields, whatever their types: wrong ones are the point. */
export function set(target: object | null | undefined, fields: Readonly<Record<string, unknown>>): void {
  Object.assign(target as object, fields);
}

/** The message of the error that a file must give. */
export function refusal(bytes: Uint8Array): string {
  try {
    readModelFile(bytes);
  } catch (error) {
    if (error instanceof ModelFormatError && error.name === 'ModelFormatError') return error.message;
    throw error;
  }
  return 'nothing: it was read';
}

/** A name, what is wrong, what the error says, and the file it is done to when it is not the usual one. */
export type WrongField = readonly [string, (draft: Draft) => void, string | RegExp, Uint8Array?];
