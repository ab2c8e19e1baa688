import { describe, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import { readStateDict } from '../../src/import/state-dict.ts';
import { filled, withTensors } from './files.ts';

const one = 'lstm-1.safetensors'; // rnn [64, 2], head [3, 16]
const two = 'lstm-modules.safetensors'; // lstm1 of 12, lstm2 of 7, fc [4, 7]
const gru = 'gru-1.safetensors'; // 11 units

describe('the modules of a state_dict', () => {
  test('are found behind any prefix, and without one', () => {
    const bare = Object.fromEntries(
      ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => [`rnn.${name}_l0`, `${name}_l0`]),
    );
    const network = readStateDict(
      withTensors(one, { ...bare, 'head.weight': 'weight', 'head.bias': 'bias' }),
    );
    expect(network).toEqual(readStateDict(withTensors(one, {})));
    expect(network).toMatchObject({ cell: 'lstm', outputs: 3, notes: [] });
  });

  test('are those that the spec names, in its order; what else there is is said', () => {
    const network = readStateDict(withTensors(two, { 'other.weight': filled([9, 9]) }), {
      recurrent: ['lstm1', 'lstm2'],
      head: 'fc',
    });
    expect(network.layers.map(({ inputs, hidden }) => [inputs, hidden])).toEqual([
      [2, 12],
      [12, 7],
    ]);
    expect(network.notes).toEqual(['left out of the state_dict: other.weight']);
  });

  test('may have no biases', () => {
    const network = readStateDict(
      withTensors(one, { 'rnn.bias_ih_l0': undefined, 'rnn.bias_hh_l0': undefined, 'head.bias': undefined }),
    );
    expect(network.layers[0].inputBias).toEqual(new Float32Array(64));
    expect(network.head.bias).toEqual(new Float32Array(3));
  });
});

describe('a state_dict that is no network of ours is refused in one line', () => {
  test.each([
    [
      'no recurrent module',
      one,
      {
        'rnn.weight_ih_l0': undefined,
        'rnn.weight_hh_l0': undefined,
        'rnn.bias_ih_l0': undefined,
        'rnn.bias_hh_l0': undefined,
      },
      'no tensor weight_ih_l0',
    ],
    ['a missing matrix', one, { 'rnn.weight_hh_l0': undefined }, 'no tensor rnn.weight_hh_l0, expected one'],
    [
      'a missing bias',
      one,
      { 'rnn.bias_hh_l0': undefined },
      'no tensor rnn.bias_hh_l0, expected both biases or none',
    ],
    [
      'a bias of another length',
      one,
      { 'rnn.bias_hh_l0': filled([63]) },
      'rnn.bias_hh_l0: shape [63], expected [64]',
    ],
    ['no head', one, { 'head.weight': undefined }, 'no matrix for the head'],
    [
      'a transposed head',
      one,
      { 'head.weight': filled([16, 3]) },
      'head.weight: shape [16,3], expected [3,16]; it is transposed',
    ],
    [
      'a head on a whole window',
      one,
      { 'head.weight': filled([3, 160]) },
      'head.weight: shape [3,160], expected [3,16]',
    ],
    [
      'a transposed W',
      one,
      { 'rnn.weight_ih_l0': filled([2, 64]) },
      'rnn.weight_ih_l0: shape [2,64] beside weight_hh [64,16]',
    ],
    [
      'a plain nn.RNN',
      one,
      { 'rnn.weight_ih_l0': filled([16, 2]), 'rnn.weight_hh_l0': filled([16, 16]) },
      'expected the 4 gates of an nn.LSTM or the 3 of an nn.GRU',
    ],
    ['two directions', one, { 'rnn.weight_ih_l0_reverse': filled([64, 2]) }, 'rnn: bidirectional'],
    ['a projection', one, { 'rnn.weight_hr_l0': filled([4, 16]) }, 'rnn: proj_size'],
    [
      'something between',
      gru,
      { 'norm.weight': filled([11]), 'norm.bias': filled([11]) },
      'norm.weight, norm.bias: expected nothing beside one nn.LSTM or nn.GRU',
    ],
    ['two matrices', gru, { 'fc1.weight': filled([11, 11]) }, '2 matrices that may be the head (fc1, head)'],
    ['two modules', two, {}, '2 recurrent modules (lstm1, lstm2), expected one; say in the spec which'],
  ])('%s', (_, file, changes, expected) => {
    const read = () => readStateDict(withTensors(file, changes));
    expect(read).toThrow(ImportError);
    expect(read).toThrow(expected);
  });

  test.each([
    [
      'a module that is not there',
      { recurrent: ['lstm3'] },
      'weights.recurrent: no module lstm3, found lstm1, lstm2',
    ],
    [
      'layers the wrong way round',
      { recurrent: ['lstm2', 'lstm1'] },
      'layer 1 takes 2 values, expected the 7',
    ],
    ['a head that is not there', { recurrent: ['lstm1'], head: 'out' }, 'weights.head: no module out'],
  ])('%s', (_, names, expected) => {
    expect(() => readStateDict(withTensors(two, {}), names)).toThrow(expected);
  });
});
