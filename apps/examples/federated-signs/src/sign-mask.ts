import { adamw, type EagerOperations, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import type { Method } from './method.js';
import type { Kept } from './pruning.js';
import { majority, packSigns, unpackSigns } from './signs.js';

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
