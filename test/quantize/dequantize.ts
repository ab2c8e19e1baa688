import type { QuantizedTensor } from '../../src/model/model.ts';

/** What the integers stand for. */
export function dequantize({ plane, lowPlane, rowScales, shape }: QuantizedTensor): Float32Array {
  const columns = shape[1];
  return Float32Array.from(plane, (high, i) => {
    const integer = lowPlane ? 32 * high + lowPlane[i] : high;
    return integer * rowScales[Math.floor(i / columns)];
  });
}
