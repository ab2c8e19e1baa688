import { describe, expect, test } from 'vitest';
import type { onnx } from '#proto/onnx.js';
import { ImportError } from '../../src/import/import-error.ts';
import type { Network } from '../../src/import/network.ts';
import { readNetwork } from '../../src/import/read-network.ts';
import { editOnnx, type Graph, type Node } from './files.ts';
import { readWeights } from './imported.ts';

const nodeOf = (graph: Graph, op: string) => graph.node.find(({ opType }) => opType === op) as Node;
const tensorOf = (graph: Graph, name: string) =>
  graph.initializer.find((tensor) => tensor.name === name) as onnx.ITensorProto;
const bytes = (text: string) => new TextEncoder().encode(text);
const give = (op: string, attribute: onnx.IAttributeProto) => (graph: Graph) => {
  const node = nodeOf(graph, op);
  node.attribute = [...(node.attribute ?? []).filter(({ name }) => name !== attribute.name), attribute];
};
/** Puts a node in between: `from` is computed by it from now on. */
const insert = (opType: string, into: string, position: number) => (graph: Graph) => {
  const node = nodeOf(graph, into);
  graph.node.push({ opType, name: 'new', input: [node.input[position]], output: ['inserted'] });
  node.input[position] = 'inserted';
};
const lstm = 'torch-lstm-1.onnx';
const stack = 'torch-lstm-2.onnx';
const converted = 'skl-lstm.onnx';
const gru = 'torch-gru-2.onnx';

describe('a graph that is no network of ours is refused in one line', () => {
  test.each<readonly [string, string, (graph: Graph) => void, string]>([
    [
      'two directions',
      lstm,
      give('LSTM', { name: 'direction', s: bytes('bidirectional') }),
      'LSTM "/rnn/LSTM": direction bidirectional, expected forward',
    ],
    ['from the end', lstm, give('LSTM', { name: 'direction', s: bytes('reverse') }), 'direction reverse'],
    ['a clip', lstm, give('LSTM', { name: 'clip', f: 3 }), 'clip, expected gates without it'],
    ['layout 1', lstm, give('LSTM', { name: 'layout', i: 1 }), 'layout 1'],
    ['input_forget', lstm, give('LSTM', { name: 'input_forget', i: 1 }), 'input_forget 1'],
    [
      'other activations',
      lstm,
      give('LSTM', { name: 'activations', strings: [bytes('HardSigmoid'), bytes('Tanh'), bytes('Tanh')] }),
      'activations HardSigmoid, Tanh, Tanh, expected sigmoid, tanh, tanh',
    ],
    [
      'the other GRU',
      gru,
      give('GRU', { name: 'linear_before_reset', i: 0 }),
      'GRU "/rnn/GRU": linear_before_reset 0',
    ],
    [
      'sequence_lens',
      lstm,
      (graph) => {
        nodeOf(graph, 'LSTM').input[4] = 'lengths';
      },
      'sequence_lens lengths',
    ],
    [
      'peepholes',
      lstm,
      (graph) => {
        nodeOf(graph, 'LSTM').input[7] = 'P';
      },
      'peepholes P',
    ],
    [
      'a state that is not zero',
      lstm,
      (graph) => {
        nodeOf(graph, 'LSTM').input[5] = 'head.bias';
      },
      'an initial state head.bias that is not known to be zero',
    ],
    [
      'a wrong hidden_size',
      lstm,
      give('LSTM', { name: 'hidden_size', i: 8 }),
      'hidden_size 8, expected the 9 columns of R',
    ],
    [
      'a missing W',
      lstm,
      (graph) => {
        nodeOf(graph, 'LSTM').input[1] = 'gone';
      },
      'LSTM "/rnn/LSTM" W: not in the file',
    ],
    [
      'a computed W',
      lstm,
      insert('Concat', 'LSTM', 1),
      'W: computed by Concat "new", expected weights in the file',
    ],
    [
      'scaling inside',
      lstm,
      insert('Sub', 'LSTM', 0),
      'Sub "new" below LSTM "/rnn/LSTM", expected only LSTM or GRU nodes',
    ],
    ['something between the layers', stack, insert('Relu', 'Transpose', 0), 'Relu "new" below'],
    [
      'an activation before the head',
      lstm,
      insert('Relu', 'MatMul', 0),
      'Relu "new" between the recurrent layers and the head',
    ],
    [
      'an activation after the head',
      lstm,
      (graph) => {
        graph.node.push({ opType: 'Tanh', input: ['y'], output: ['z'] });
        graph.output[0].name = 'z';
      },
      'output z comes from Tanh, expected a linear head',
    ],
    [
      'a transposed head',
      converted,
      (graph) => {
        tensorOf(graph, 'V').dims = [3, 13];
      },
      'MatMul weights: shape [13,3], expected [3,13]; it is transposed',
    ],
    [
      'weights in another file',
      lstm,
      (graph) => {
        tensorOf(graph, 'head.bias').dataLocation = 1;
      },
      'tensor head.bias: stored in another file',
    ],
    [
      'integers',
      lstm,
      (graph) => {
        tensorOf(graph, 'head.bias').dataType = 3;
      },
      'tensor head.bias: ONNX data type 3',
    ],
    [
      'huge declared sizes',
      lstm,
      (graph) => {
        tensorOf(graph, 'head.bias').dims = [4_000_000_000];
      },
      'tensor head.bias: 8 bytes, expected 16000000000 for float32 [4000000000]',
    ],
    [
      'huge sizes of nothing',
      converted,
      (graph) => {
        Object.assign(tensorOf(graph, 'V'), { dims: [0, 4_000_000_000], rawData: new Uint8Array(0) });
      },
      'tensor V: no values',
    ],
    [
      'a graph in a circle',
      lstm,
      (graph) => {
        nodeOf(graph, 'Squeeze').input[0] = nodeOf(graph, 'Squeeze').output[0];
      },
      'expected a graph without circles',
    ],
    [
      'no nodes',
      lstm,
      (graph) => {
        graph.node = [];
      },
      'no graph with nodes',
    ],
    [
      'no recurrent node',
      lstm,
      (graph) => {
        nodeOf(graph, 'MatMul').input[0] = 'x';
      },
      'no LSTM or GRU node below the head',
    ],
    [
      'a layer outside',
      stack,
      (graph) => {
        const [first] = graph.node.filter(({ opType }) => opType === 'LSTM');
        graph.node.push({ ...first, name: 'extra', output: ['e'] });
      },
      'LSTM "extra" does not lead to the head',
    ],
  ])('%s', (_, file, change, expected) => {
    const read = () => readNetwork(editOnnx(file, change));
    expect(read).toThrow(ImportError);
    expect(read).toThrow(expected);
  });
});

describe('the same network in other words', () => {
  const plain = readNetwork(readWeights(lstm));
  test.each<readonly [string, (graph: Graph) => void]>([
    [
      'activations by name',
      give('LSTM', { name: 'activations', strings: ['Sigmoid', 'Tanh', 'Tanh'].map(bytes) }),
    ],
    [
      'states of the caller',
      (graph) => {
        graph.input.push({ name: 'h0' }, { name: 'c0' });
        nodeOf(graph, 'LSTM').input.splice(5, 2, 'h0', 'c0');
      },
    ],
    [
      'no states',
      (graph) => {
        nodeOf(graph, 'LSTM').input.splice(4);
      },
    ],
    [
      'states among the outputs',
      (graph) => {
        graph.output.push({ name: '/rnn/LSTM_output_1' }, { name: '/rnn/LSTM_output_2' });
      },
    ],
    [
      'the bias in front',
      (graph) => {
        nodeOf(graph, 'Add').input.reverse();
      },
    ],
    [
      'initializers among the inputs, as old files have them',
      (graph) => {
        graph.input.push(...graph.initializer.map(({ name }) => ({ name: name ?? '' })));
      },
    ],
    [
      'the head as a Gemm',
      (graph) => {
        const [product, sum] = [nodeOf(graph, 'MatMul'), nodeOf(graph, 'Add')];
        product.opType = 'Gemm';
        product.input.push('head.bias');
        product.output = [...sum.output];
        graph.node = graph.node.filter((node) => node !== sum);
      },
    ],
    [
      'numbers in float_data',
      (graph) => {
        for (const tensor of graph.initializer)
          Object.assign(tensor, { floatData: tensor.rawData, rawData: new Uint8Array(0) });
      },
    ],
  ])('is the same: %s', (_, change) => {
    expect(readNetwork(editOnnx(lstm, change))).toEqual<Network>(plain);
  });

  test('a GRU needs no attribute but linear_before_reset', () => {
    const file = editOnnx(gru, (graph) => {
      for (const node of graph.node.filter(({ opType }) => opType === 'GRU'))
        node.attribute = node.attribute?.filter(({ name }) => name === 'linear_before_reset') ?? [];
    });
    expect(readNetwork(file)).toEqual(readNetwork(readWeights(gru)));
  });

  test('names of modules in the spec are not needed, and that is said', () => {
    expect(readNetwork(readWeights(lstm), { head: 'fc' }).notes).toHaveLength(1);
  });
});
