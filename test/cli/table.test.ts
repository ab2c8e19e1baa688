import { expect, test } from 'vitest';
import { formatTable } from '../../src/cli/table.ts';

test('numbers stand to the right under their titles, words to the left', () => {
  const text = formatTable(
    ['model', 'mse', 'windows'],
    [
      ['int8', 2.0711, 3457],
      ['persistence', 12.5, 12],
    ],
  );
  expect(text).toBe(
    [
      'model           mse  windows',
      '-----------  ------  -------',
      'int8          2.071     3457',
      'persistence  12.500       12',
    ].join('\n'),
  );
});

test('a cell without a value is a dash, in a column of numbers to the right', () => {
  const text = formatTable(
    ['name', 'mae'],
    [
      ['ridge', undefined],
      ['int8', Number.NaN],
      [undefined, 1234.5],
    ],
    { digits: 1 },
  );
  expect(text.split('\n').slice(2)).toEqual(['ridge       -', 'int8        -', '-      1234.5']);
});

test('letters beyond ASCII count as one', () => {
  const [header, rule] = formatTable(['ΔT', 'n'], [['–', 1]]).split('\n');
  expect(header).toBe('ΔT  n');
  expect(rule).toBe('--  -');
});

test('a table without rows is its header', () => {
  expect(formatTable(['a', 'b'], [])).toBe('a  b\n-  -');
});
