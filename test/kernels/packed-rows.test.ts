import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multiplyPackedRows, packRows } from '../../src/kernels/packed-rows.ts';
import { multiplyIntegers } from '../../src/kernels/quantized.ts';

function multiplyBoth(matrix: Int16Array, x: Int16Array) {
  const rows = matrix.length / x.length;
  const [packed, plain] = [new Int32Array(rows), new Int32Array(rows)];
  multiplyPackedRows(packRows(matrix, x.length), x, packed);
  multiplyIntegers(matrix, x, plain);
  return { packed: [...packed], plain: [...plain] };
}

describe('two rows in one float64', () => {
  test('sum like the rows apart, of any even number', () => {
    const integer = fc.integer({ min: -127, max: 127 });
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }))
      .chain(([columns, pairs]) =>
        fc.tuple(
          fc.array(integer, { minLength: columns, maxLength: columns }),
          fc.array(integer, { minLength: 2 * pairs * columns, maxLength: 2 * pairs * columns }),
        ),
      );
    fc.assert(
      fc.property(matrix, ([x, rows]) => {
        const { packed, plain } = multiplyBoth(Int16Array.from(rows), Int16Array.from(x));
        expect(packed).toEqual(plain);
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  test.each([
    [127, 127],
    [127, -127],
    [-127, 127],
    [-127, -127],
  ])('keep the largest sums of %i and %i apart', (first, second) => {
    const columns = 1024;
    const matrix = Int16Array.from({ length: 10 * columns }, (_, i) =>
      Math.floor(i / columns) % 2 === 0 ? first : second,
    );
    const { packed } = multiplyBoth(matrix, new Int16Array(columns).fill(127));
    expect(packed.slice(0, 2)).toEqual([first * 127 * columns, second * 127 * columns]);
    expect(new Set(packed)).toEqual(new Set(packed.slice(0, 2)));
  });
});
