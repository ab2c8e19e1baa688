import { roundHalfEven } from '../src/math/rounding.ts';

/** An LSTM of one layer with a linear head of one answer. */
export interface StepWeights {
  readonly hidden: number;
  readonly inputs: number;
  /** [4H, I], the gates i, f, g, o */
  readonly W: Float32Array;
  /** [4H, H] */
  readonly U: Float32Array;
  /** [4H] */
  readonly b: Float32Array;
  /** [H] */
  readonly V: Float32Array;
  /** [1] */
  readonly d: Float32Array;
}

// protobuf's wire format: proto/onnx.proto has the fields that an import reads, not all that a file must have
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const number = (field: number, value: number) => Buffer.concat([varint(8 * field), varint(value)]);

function bytes(field: number, value: string | Uint8Array): Buffer {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(8 * field + 2), varint(content.length), content]);
}

const message = (field: number, ...parts: readonly Buffer[]) => bytes(field, Buffer.concat(parts));

/** GraphProto.initializer: a TensorProto of type FLOAT (1) or INT8 (3). */
function initializer(name: string, dims: readonly number[], values: Float32Array | Int8Array): Buffer {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? 1 : 3;
  return message(5, ...dims.map((dim) => number(1, dim)), number(2, type), bytes(8, name), bytes(9, raw));
}

/** GraphProto.input (11) or output (12): a ValueInfoProto of float32, its sizes fixed or named. */
function value(field: 11 | 12, name: string, dims: readonly (number | string)[]): Buffer {
  const sizes = dims.map((dim) => message(1, typeof dim === 'number' ? number(1, dim) : bytes(2, dim)));
  return message(field, bytes(1, name), message(2, message(1, number(1, 1), message(2, ...sizes))));
}

interface Operator {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  /** The attribute hidden_size of an LSTM. */
  readonly hidden?: number;
}

/** GraphProto.node */
function node({ op, inputs, outputs, domain = '', hidden }: Operator): Buffer {
  const attributes =
    hidden === undefined ? [] : [message(5, bytes(1, 'hidden_size'), number(3, hidden), number(20, 2))];
  return message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    ...[bytes(4, op), ...attributes, bytes(7, domain)],
  );
}

/** Rows of i, f, g, o in ONNX's order: i, o, f, c. */
function reorder(rows: Float32Array): Float32Array {
  const size = rows.length / 4;
  const ordered = new Float32Array(rows.length);
  [0, 3, 1, 2].forEach((from, to) => {
    ordered.set(rows.subarray(from * size, (from + 1) * size), to * size);
  });
  return ordered;
}

/** [4H, columns] as onnxruntime's dynamic quantization makes it (a scale a row, symmetric, full range), transposed as
 * DynamicQuantizeLSTM takes it. */
function quantizeRows(rows: Float32Array, columns: number): { integers: Int8Array; scales: Float32Array } {
  const count = rows.length / columns;
  const integers = new Int8Array(rows.length);
  const scales = new Float32Array(count);
  for (let j = 0; j < count; j++) {
    const row = rows.subarray(j * columns, (j + 1) * columns);
    scales[j] = row.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127;
    row.forEach((weight, k) => {
      integers[k * count + j] = roundHalfEven(weight / scales[j]);
    });
  }
  return { integers, scales };
}

const STATES = ['Y_h', 'Y_c'];

function floatLstm({ hidden, inputs, W, U }: StepWeights): Buffer[] {
  const operands = ['x', 'W', 'R', 'B', '', 'h', 'c'];
  return [
    node({ op: 'LSTM', inputs: operands, outputs: ['', ...STATES], hidden }),
    initializer('W', [1, 4 * hidden, inputs], reorder(W)),
    initializer('R', [1, 4 * hidden, hidden], reorder(U)),
  ];
}

function int8Lstm({ hidden, inputs, W, U }: StepWeights): Buffer[] {
  const operands = ['x', 'W', 'R', 'B', '', 'h', 'c', '', 'W_scale', 'W_zero', 'R_scale', 'R_zero'];
  const outputs = ['', ...STATES];
  const rows = 4 * hidden;
  const matrix = (name: string, values: Float32Array, columns: number) => {
    const { integers, scales } = quantizeRows(reorder(values), columns);
    return [
      initializer(name, [1, columns, rows], integers),
      initializer(`${name}_scale`, [1, rows], scales),
      initializer(`${name}_zero`, [1, rows], new Int8Array(rows)),
    ];
  };
  return [
    node({ op: 'DynamicQuantizeLSTM', inputs: operands, outputs, domain: 'com.microsoft', hidden }),
    ...matrix('W', W, inputs),
    ...matrix('R', U, hidden),
  ];
}

/** An ONNX file with inputs x [T, B, I], h and c [1, B, H]; outputs the new h and c, and y [1, B, 1]. */
export function writeOnnx(weights: StepWeights, kind: 'float32' | 'int8'): Buffer {
  const { hidden, inputs, b, V, d } = weights;
  const bias = new Float32Array(8 * hidden);
  bias.set(reorder(b));
  const state = [1, 'B', hidden];
  const graph = [
    ...(kind === 'float32' ? floatLstm(weights) : int8Lstm(weights)),
    node({ op: 'MatMul', inputs: ['Y_h', 'V'], outputs: ['Vh'] }),
    node({ op: 'Add', inputs: ['Vh', 'd'], outputs: ['y'] }),
    bytes(2, 'step'),
    ...[initializer('B', [1, 8 * hidden], bias), initializer('V', [hidden, 1], V), initializer('d', [1], d)],
    ...[value(11, 'x', ['T', 'B', inputs]), value(11, 'h', state), value(11, 'c', state)],
    ...[...STATES.map((name) => value(12, name, state)), value(12, 'y', [1, 'B', 1])],
  ];
  // IR version 8; operator sets 17 and, for the int8 LSTM, 1 of Microsoft's
  const sets = [message(8, number(2, 17)), message(8, bytes(1, 'com.microsoft'), number(2, 1))];
  return Buffer.concat([number(1, 8), bytes(2, 'cellstream bench'), message(7, ...graph), ...sets]);
}
