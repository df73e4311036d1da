import {
  adamw,
  type EagerOperations,
  type NamedTensors,
  type Operations,
  type Optimizer,
  sgd,
  type Tensor,
} from '@lmd/core';
import type { Kept } from './pruning.js';
import { majority, packSigns, unpackSigns } from './signs.js';

/** A client's message, weighted by its number of pictures. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly weight: number;
}

/** A way to train together. Messages are bytes. */
export interface Method {
  readonly name: 'signs' | 'FedAvg';
  /** Trains on a client, begun anew in every round. */
  readonly optimizer: Optimizer;
  /** The weights of the network from what the optimizer trains, with a gradient where `ops` records one. */
  readonly effective: (ops: Operations, trained: NamedTensors) => NamedTensors;
  /** The server's message of the first round. */
  readonly first: Uint8Array;
  /** What a client trains, from the server's message and what it kept of its last round; the caller frees it. */
  readonly receive: (message: Uint8Array, memory?: Float32Array) => NamedTensors;
  /** A client's message after training, and what it keeps for its next round, if anything. */
  readonly send: (trained: NamedTensors) => Promise<{ readonly bytes: Uint8Array; readonly memory?: Float32Array }>;
  /** The server's next message. */
  readonly combine: (messages: readonly Message[], before: Uint8Array) => Uint8Array;
}

/** Distance of a score from 0, where its sign changes, at first and at most. */
const margin = 0.3;
/** The same for a score that the majority moved to its other sign. */
const leastMargin = 0.003;
const scoreRate = 0.02;

/**
 * A sign for each kept weight (HideNseek, arXiv:2206.04385; derived again from its description). The network computes
 * with |w|·s, where w are the initial weights, which everyone derives from the seed, and s in {−1, +1} is learnt: it is
 * the sign of a score, whose gradient is that of s (straight-through). Pruned weights are 0. A message is one bit for
 * each kept weight. The server's signs are those of the majority of pictures. A client keeps its scores from round to
 * round, moved to the nearest ones with these signs.
 */
export async function signMask(ops: EagerOperations, initial: NamedTensors, kept: Kept): Promise<Method> {
  const names = Object.keys(kept);
  const count = names.reduce((sum, name) => sum + kept[name]!.length, 0);
  const values = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await ops.read(initial[name]!)) as Float32Array] as const)),
  );
  /** The kept elements of all weights, one after another, and back. */
  const gather = (of: { readonly [name: string]: ArrayLike<number> }) =>
    Float32Array.from(names.flatMap((name) => Array.from(kept[name]!, (position) => of[name]![position]!)));
  const scatter = (flat: Float32Array) => {
    let from = 0;
    return Object.fromEntries(
      names.map((name) => {
        const full = new Float32Array(values[name]!.length);
        for (const position of kept[name]!) {
          full[position] = flat[from]!;
          from += 1;
        }
        return [name, full];
      }),
    );
  };
  const tensorsOf = (arrays: { readonly [name: string]: Float32Array }): NamedTensors =>
    Object.fromEntries(names.map((name) => [name, ops.fromData(arrays[name]!, initial[name]!.shape)]));
  const magnitudes = scatter(gather(values).map(Math.abs));
  return {
    name: 'signs',
    optimizer: adamw({ learningRate: scoreRate, weightDecay: 0 }),
    effective: (recorded, scores) =>
      Object.fromEntries(
        names.map((name) => {
          const magnitude = recorded.fromData(magnitudes[name]!, initial[name]!.shape);
          return [name, recorded.multiply(straightThroughSign(recorded, scores[name]!), magnitude)];
        }),
      ),
    first: packSigns(gather(values)),
    receive: (message, memory) =>
      tensorsOf(scatter(unpackSigns(message, count).map((sign, i) => scoreOf(sign, memory?.[i])))),
    async send(scores) {
      const read = names.map(async (name) => [name, await ops.read(scores[name]!)] as const);
      const memory = gather(Object.fromEntries(await Promise.all(read)));
      return { bytes: packSigns(memory), memory };
    },
    combine: (messages, before) => packSigns(majority(messages, unpackSigns(before, count))),
  };
}

/** The score nearest to a client's own that has the sign of the majority and is not 0; at first the margin. */
function scoreOf(sign: number, own = margin * sign): number {
  return sign * Math.min(margin, Math.max(own * sign, leastMargin));
}

function straightThroughSign(ops: Operations, scores: Tensor): Tensor {
  return ops.customGradient([scores], {
    // 0 counts as positive, as in `packSigns`.
    forward: (plain, [x]) => plain.where(plain.less(x!, 0), plain.full(x!.shape, -1), 1),
    backward: (plain, dy) => [plain.reshape(dy, dy.shape)],
    saves: { inputs: [], output: false },
  });
}

/**
 * FedAvg (McMahan et al., arXiv:1602.05629): clients train all weights, and the server averages them. A message is 32
 * bits for each weight.
 */
export async function averaging(ops: EagerOperations, initial: NamedTensors): Promise<Method> {
  const names = Object.keys(initial);
  const flatten = async (weights: NamedTensors): Promise<Uint8Array> => {
    const parts = await Promise.all(names.map(async (name) => (await ops.read(weights[name]!)) as Float32Array));
    const flat = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let from = 0;
    for (const part of parts) {
      flat.set(part, from);
      from += part.length;
    }
    return new Uint8Array(flat.buffer);
  };
  const floatsOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
    new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
  return {
    name: 'FedAvg',
    optimizer: sgd({ learningRate: 0.02, momentum: 0.9 }),
    effective: (recorded, weights) =>
      Object.fromEntries(names.map((name) => [name, recorded.multiply(weights[name]!, 1)])),
    first: await flatten(initial),
    receive(message) {
      const flat = floatsOf(message);
      let from = 0;
      return Object.fromEntries(
        names.map((name) => {
          const { shape } = initial[name]!;
          const size = shape.reduce((product, extent) => product * extent, 1);
          from += size;
          return [name, ops.fromData(flat.slice(from - size, from), shape)];
        }),
      );
    },
    send: async (weights) => ({ bytes: await flatten(weights) }),
    combine(messages) {
      const total = messages.reduce((sum, { weight }) => sum + weight, 0);
      const mean = new Float32Array(messages[0]!.bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
      for (const { bytes, weight } of messages) {
        for (const [i, value] of floatsOf(bytes).entries()) mean[i]! += (weight / total) * value;
      }
      return new Uint8Array(mean.buffer);
    },
  };
}
