// Writes an LSTM with a linear head as an ONNX file: float32, or with the int8 weights that onnxruntime's own dynamic
// quantization makes (per channel, symmetric, full range). Inputs x [T, B, I], h and c [1, B, H]; outputs the new h and c,
// and y [1, B, 1].

const varint = (value) => {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
};
const number = (field, value) => Buffer.concat([varint(8 * field), varint(value)]);
const bytes = (field, value) => {
  const content = Buffer.from(value);
  return Buffer.concat([varint(8 * field + 2), varint(content.length), content]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const tensorTypes = { Float32Array: 1, Int8Array: 3 };

/** GraphProto.initializer */
function initializer(name, dims, values) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = tensorTypes[values.constructor.name];
  return message(5, ...dims.map((dim) => number(1, dim)), number(2, type), bytes(8, name), bytes(9, raw));
}

/** GraphProto.input or output: float32, of named or fixed sizes. */
function value(field, name, dims) {
  const sizes = dims.map((dim) => message(1, typeof dim === 'number' ? number(1, dim) : bytes(2, dim)));
  return message(field, bytes(1, name), message(2, message(1, number(1, 1), message(2, ...sizes))));
}

/** GraphProto.node */
function node(op, inputs, outputs, { domain = '', hidden } = {}) {
  return message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...(hidden === undefined ? [] : [message(5, bytes(1, 'hidden_size'), number(3, hidden), number(20, 2))]),
    bytes(7, domain),
  );
}

/** Rows of i, f, g, o in ONNX's order: i, o, f, c. */
function reorder(rows, hidden) {
  const size = rows.length / 4;
  const gate = (index) => rows.subarray(index * size, (index + 1) * size);
  const ordered = new Float32Array(rows.length);
  [0, 3, 1, 2].forEach((from, to) => {
    ordered.set(gate(from), to * size);
  });
  if (size % hidden !== 0) throw new RangeError(`${rows.length} weights for ${hidden} hidden units`);
  return ordered;
}

function roundHalfEven(x) {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** [4H, columns] as int8 with a scale a row, transposed as DynamicQuantizeLSTM takes it. */
function quantize(rows, columns) {
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

/** @param weights W [4H, I], U [4H, H], b [4H] with the gates i, f, g, o; V [H]; d [1] */
export function writeOnnx({ hidden, inputs, W, U, b, V, d }, kind) {
  const rows = 4 * hidden;
  const [inputWeights, recurrentWeights] = [reorder(W, hidden), reorder(U, hidden)];
  const bias = new Float32Array(2 * rows);
  bias.set(reorder(b, hidden));
  const shared = [
    initializer('B', [1, 2 * rows], bias),
    initializer('V', [hidden, 1], V),
    initializer('d', [1], d),
  ];
  const states = ['Y_h', 'Y_c'];
  const head = [node('MatMul', ['Y_h', 'V'], ['Vh']), node('Add', ['Vh', 'd'], ['y'])];
  let lstm;
  if (kind === 'float32') {
    lstm = [
      node('LSTM', ['x', 'W', 'R', 'B', '', 'h', 'c'], ['', ...states], { hidden }),
      initializer('W', [1, rows, inputs], inputWeights),
      initializer('R', [1, rows, hidden], recurrentWeights),
    ];
  } else {
    const matrices = [
      ['W', inputs, quantize(inputWeights, inputs)],
      ['R', hidden, quantize(recurrentWeights, hidden)],
    ];
    const scaleNames = ['W_scale', 'W_zero', 'R_scale', 'R_zero'];
    lstm = [
      node('DynamicQuantizeLSTM', ['x', 'W', 'R', 'B', '', 'h', 'c', '', ...scaleNames], ['', ...states], {
        domain: 'com.microsoft',
        hidden,
      }),
      ...matrices.flatMap(([name, columns, { integers, scales }]) => [
        initializer(name, [1, columns, rows], integers),
        initializer(`${name}_scale`, [1, rows], scales),
        initializer(`${name}_zero`, [1, rows], new Int8Array(rows)),
      ]),
    ];
  }
  const state = [1, 'B', hidden];
  const ends = [
    value(11, 'x', ['T', 'B', inputs]),
    value(11, 'h', state),
    value(11, 'c', state),
    ...states.map((name) => value(12, name, state)),
    value(12, 'y', [1, 'B', 1]),
  ];
  const opsets = [message(8, number(2, 17)), message(8, bytes(1, 'com.microsoft'), number(2, 1))];
  const graph = message(7, ...lstm, ...head, bytes(2, 'lstm'), ...shared, ...ends);
  return Buffer.concat([number(1, 8), bytes(2, 'cellstream bench'), graph, ...opsets]);
}
