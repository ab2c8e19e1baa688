import { ImportError } from './import-error.ts';
import { checkChain, expectShape, type Network, type RecurrentLayer } from './network.ts';
import type { StateDict, StoredTensor } from './safetensors.ts';

/** Which modules of a state_dict to take, where the names alone do not tell. */
export interface ModuleNames {
  /** nn.LSTM or nn.GRU modules, the lowest first. */
  readonly recurrent?: readonly string[];
  readonly head?: string;
}

type Cell = Network['cell'];
/** PyTorch stacks the gates as i, f, g, o and r, z, n: our own orders. */
const cellOfGates: Readonly<Record<number, Cell>> = { 3: 'gru', 4: 'lstm' };
const recurrentKey = /^(?:(.*)\.)?(?:weight|bias)_(?:ih|hh|hr)_l\d+(?:_reverse)?$/;
/** More are refused later; a name such as weight_ih_l9999 must not count. */
const MOST_LAYERS = 64;

/** The network of a PyTorch state_dict: nn.LSTM or nn.GRU, and nn.Linear. */
export function readStateDict(tensors: StateDict, names: ModuleNames = {}): Network {
  const unused = new Set(tensors.keys());
  /** `undefined` when it is not there; else it counts as used. */
  const take: Take = (name) => {
    unused.delete(name);
    return tensors.get(name);
  };
  const modules = recurrentModules(tensors, names.recurrent);
  const stacks = modules.map((module) => readModule(module, take));
  const [{ cell }] = stacks;
  stacks.forEach((stack, i) => {
    if (stack.cell !== cell)
      throw new ImportError(`${modules[i]}: a ${stack.cell} on a ${cell}, expected one kind`);
  });
  const layers = stacks.flatMap((stack) => stack.layers);
  checkChain({ layers });
  const head = readHead(headModule(tensors, unused, names.head), layers[layers.length - 1].hidden, take);
  return { cell, layers, ...head, notes: notesOn([...unused], names) };
}

/** The modules by name: the one that is there, or those that the spec names. */
function recurrentModules(tensors: StateDict, wanted: readonly string[] | undefined): readonly string[] {
  const matches = [...tensors.keys()].map((key) => recurrentKey.exec(key)).filter((match) => match !== null);
  const found = [...new Set(matches.map((match) => match[1] ?? ''))].sort();
  if (wanted !== undefined) return wanted.map((name) => findModule(found, name, 'weights.recurrent'));
  if (found.length === 1) return found;
  if (found.length === 0) {
    throw new ImportError(
      'no tensor weight_ih_l0, expected the state_dict of a network with nn.LSTM or nn.GRU',
    );
  }
  throw new ImportError(
    `${found.length} recurrent modules (${listOf(found)}), expected one; say in the spec which, the lowest first: ` +
      `weights: { recurrent: [${found.slice(0, 2).join(', ')}] }`,
  );
}

/** `lstm` also stands for `model.lstm`. */
function findModule(found: readonly string[], name: string, key: string): string {
  const matches = found.filter((module) => module === name || module.endsWith(`.${name}`));
  const exact = matches.find((module) => module === name);
  if (exact !== undefined || matches.length === 1) return exact ?? matches[0];
  throw new ImportError(
    `${key}: ${matches.length === 0 ? 'no module' : 'several modules'} ${name}, found ${listOf(found)}`,
  );
}

type Take = (name: string) => StoredTensor | undefined;

function readModule(module: string, take: Take): { readonly cell: Cell; readonly layers: RecurrentLayer[] } {
  const layers: RecurrentLayer[] = [];
  let cell: Cell | undefined;
  for (let l = 0; l < MOST_LAYERS; l++) {
    const named = (name: string) => inModule(module, `${name}_l${l}`);
    const W = take(named('weight_ih'));
    if (W === undefined && l > 0) break;
    const U = take(named('weight_hh'));
    if (W === undefined || U === undefined) {
      throw new ImportError(`no tensor ${named(W === undefined ? 'weight_ih' : 'weight_hh')}, expected one`);
    }
    if (take(`${named('weight_ih')}_reverse`))
      throw new ImportError(`${module}: bidirectional, expected a network that reads forward`);
    if (take(named('weight_hr')))
      throw new ImportError(`${module}: proj_size, expected hidden states as they are`);
    const [rows, inputs = 0] = W.shape;
    const hidden = U.shape[1] ?? 0;
    const kind: Cell | undefined = hidden > 0 ? cellOfGates[rows / hidden] : undefined;
    if (kind === undefined || (cell !== undefined && kind !== cell)) {
      const expected = cell ? `a ${cell} as below` : 'the 4 gates of an nn.LSTM or the 3 of an nn.GRU';
      throw new ImportError(
        `${named('weight_ih')}: shape [${W.shape}] beside weight_hh [${U.shape}], expected ${expected}`,
      );
    }
    cell = kind;
    layers.push({
      inputs,
      hidden,
      inputWeights: expectShape(W.read(), [rows, inputs], named('weight_ih')),
      recurrentWeights: expectShape(U.read(), [rows, hidden], named('weight_hh')),
      ...readBiases([named('bias_ih'), named('bias_hh')], rows, take),
    });
  }
  return { cell: cell as Cell, layers };
}

function inModule(module: string, name: string): string {
  return module === '' ? name : `${module}.${name}`;
}

/** Both, or zeros for bias=False. */
function readBiases(names: readonly [string, string], rows: number, take: Take) {
  const [inputBias, recurrentBias] = names.map((name) => {
    const bias = take(name);
    return bias && expectShape(bias.read(), [rows], name);
  });
  if ((inputBias === undefined) !== (recurrentBias === undefined)) {
    throw new ImportError(`no tensor ${names[inputBias ? 1 : 0]}, expected both biases or none`);
  }
  const none = new Float32Array(rows);
  return { inputBias: inputBias ?? none, recurrentBias: recurrentBias ?? none };
}

/** The nn.Linear: the only matrix that is left, or the module that the spec names. */
function headModule(tensors: StateDict, unused: ReadonlySet<string>, wanted: string | undefined): string {
  const found = [...unused]
    .filter((name) => /(^|\.)weight$/.test(name) && tensors.get(name)?.shape.length === 2)
    .map((name) => name.replace(/\.?weight$/, ''))
    .sort();
  if (wanted !== undefined) return findModule(found, wanted, 'weights.head');
  if (found.length === 1) return found[0];
  if (found.length === 0)
    throw new ImportError('no matrix for the head, expected the weight of an nn.Linear');
  throw new ImportError(
    `${found.length} matrices that may be the head (${listOf(found)}), expected one nn.Linear on the hidden state; ` +
      `where the others do not matter, say in the spec which: weights: { head: ${found[0]} }`,
  );
}

function readHead(module: string, hidden: number, take: Take) {
  const named = (name: string) => inModule(module, name);
  const stored = take(named('weight')) as StoredTensor;
  const bias = take(named('bias'));
  // a vector beside it tells the outputs even where the matrix is transposed
  const outputs = bias?.shape[0] ?? stored.shape[0];
  return {
    outputs,
    head: {
      weights: expectShape(stored.read(), [outputs, hidden], named('weight')),
      bias: bias ? expectShape(bias.read(), [outputs], named('bias')) : new Float32Array(outputs),
    },
  };
}

/** A tensor that nothing reads computes something: only who has named the modules may leave it out. */
function notesOn(unused: readonly string[], names: ModuleNames): string[] {
  if (unused.length === 0) return [];
  if (names.recurrent === undefined && names.head === undefined) {
    throw new ImportError(
      `${listOf(unused)}: expected nothing beside one nn.LSTM or nn.GRU and one nn.Linear; ` +
        'where it does not matter, name the modules in the spec (weights: { recurrent, head })',
    );
  }
  return [`left out of the state_dict: ${listOf(unused)}`];
}

const SHOWN = 6;

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => (name === '' ? "''" : name));
  return names.length > SHOWN ? `${shown.join(', ')} and ${names.length - SHOWN} more` : shown.join(', ');
}
