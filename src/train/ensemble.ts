import type { Floats } from '../kernels/training.ts';
import { type FloatTensor, gateCount, type Model } from '../model/model.ts';
import type { LayerParameters, Parameters, Topology } from './parameters.ts';

/** The sizes of `count` networks side by side. */
export function joinedTopology(topology: Topology, count: number): Topology {
  return { ...topology, hidden: count * topology.hidden };
}

/** One network whose answers are the mean of those of all members, which never see each other: block-diagonal U (and W of
 * the upper layers), W and b one under the other within each gate, V side by side and, like S and d, divided by their count.
 * @param joined zeros, of the joined topology: the result */
export function joinNetworks(members: readonly Parameters[], topology: Topology, joined: Parameters): void {
  const { cell, hidden: H, inputs: I, outputs: O, layers, biases } = topology;
  const count = members.length;
  const G = gateCount[cell];
  members.forEach((member, n) => {
    for (let l = 0; l < layers; l++) {
      joinLayer(member.layers[l], joined.layers[l], { n, count, G, H, inputs: l === 0 ? I : undefined });
      joinBias(member.layers[l].bias, joined.layers[l].bias, { n, count, H }, (l === 0 ? biases : 1) * G);
      joined.layers[l].recurrentBias.set(
        member.layers[l].recurrentBias,
        n * member.layers[l].recurrentBias.length,
      );
    }
    for (let o = 0; o < O; o++) {
      const row = (o * count + n) * H;
      for (let j = 0; j < H; j++) joined.headWeights[row + j] = member.headWeights[o * H + j] / count;
    }
    addShare(joined.headBias, member.headBias, count);
    addShare(joined.skip, member.skip, count);
  });
}

/** The mean of a network and the highway beside it, each fitted alone: half of the one and half of the other, exactly. */
export function meanWithHighway(model: Model): Model {
  const { head, highway } = model as Required<Model>;
  return {
    ...model,
    head: { weights: halve(head.weights), bias: halve(head.bias), skip: halve(head.skip) },
    highway: { ...highway, weights: halve(highway.weights), bias: halve(highway.bias) },
  };
}

function halve(tensor: FloatTensor): FloatTensor {
  return { ...tensor, values: tensor.values.map((value) => value / 2) };
}

interface Place {
  /** Which of the members. */
  readonly n: number;
  readonly count: number;
  readonly H: number;
}

/** @param place `inputs`: I of the first layer, which all members read; the upper ones read only their own h */
function joinLayer(
  from: LayerParameters,
  to: LayerParameters,
  { n, count, G, H, inputs }: Place & { readonly G: number; readonly inputs: number | undefined },
): void {
  for (let row = 0; row < G * H; row++) {
    const joinedRow = (Math.floor(row / H) * count + n) * H + (row % H);
    const copy = (source: Floats, target: Floats, columns: number, width: number, at: number) => {
      target.set(source.subarray(row * columns, (row + 1) * columns), joinedRow * width + at);
    };
    if (inputs === undefined) copy(from.inputWeights, to.inputWeights, H, count * H, n * H);
    else copy(from.inputWeights, to.inputWeights, inputs, inputs, 0);
    if (from.recurrentWeights.length > 0) {
      copy(from.recurrentWeights, to.recurrentWeights, H, count * H, n * H);
    }
  }
}

function joinBias(from: Floats, to: Floats, { n, count, H }: Place, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    to.set(from.subarray(block * H, (block + 1) * H), (block * count + n) * H);
  }
}

function addShare(to: Floats, from: Floats, count: number): void {
  for (let i = 0; i < to.length; i++) to[i] += from[i] / count;
}
