import { valueAndGradients } from '@lmd/autograd';
import { type EagerOperations, LmdError, type NamedTensors, sizeOf } from '@lmd/core';

/** For each weight, the positions of the kept elements in ascending order. */
export type Kept = { readonly [weight: string]: Uint32Array };

/**
 * Prunes at initialization, in one shot and without data, by synaptic saliency (SynFlow: Tanaka et al.,
 * arXiv:2006.05467, as HideNseek uses it, arXiv:2206.04385). With R the sum of the outputs of the network whose weights
 * are |w|, without activation functions, for an input of ones, the score of a weight is |w|·∂R/∂|w|: the sum of all
 * paths through it. The largest scores of all layers together are kept; of equal ones, the earlier.
 *
 * @param shapes of the weights of a fully connected network, in the order of its forward pass.
 * @param keep fraction of all weights that is kept, above 0 and at most 1.
 * @throws LmdError `INVALID_ARGUMENT` for a fraction that leaves a layer no weight.
 */
export async function keepSalient(
  ops: EagerOperations,
  shapes: { readonly [weight: string]: readonly [inputs: number, outputs: number] },
  weights: NamedTensors,
  keep: number,
): Promise<Kept> {
  const names = Object.keys(shapes);
  const scores = ops.scope(() => {
    const magnitudes = Object.fromEntries(names.map((name) => [name, ops.absolute(weights[name]!)]));
    const { gradients } = valueAndGradients(ops, magnitudes, (ops, magnitudes) => {
      const ones = ops.full([1, shapes[names[0]!]![0]], 1);
      return ops.sum(names.reduce((x, name) => ops.matmul(x, magnitudes[name]!), ones));
    });
    return names.map((name) => ops.reshape(ops.multiply(magnitudes[name]!, gradients[name]!), [-1]));
  });
  const all = new Float32Array(scores.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  const starts: number[] = [];
  let end = 0;
  for (const score of scores) {
    starts.push(end);
    all.set((await ops.read(score)) as Float32Array, end);
    end += sizeOf(score.shape);
  }
  ops.dispose(scores);
  const chosen = Uint32Array.from(all.keys())
    .sort((a, b) => all[b]! - all[a]! || a - b)
    .subarray(0, Math.round(keep * all.length))
    .sort();
  const kept = names.map((name, i): [string, Uint32Array] => {
    const [from, to] = [starts[i]!, starts[i + 1] ?? end];
    return [name, chosen.filter((index) => index >= from && index < to).map((index) => index - from)];
  });
  const empty = kept.find(([, positions]) => positions.length === 0);
  if (empty === undefined) return Object.fromEntries(kept);
  throw new LmdError('INVALID_ARGUMENT', `keepSalient: keep is ${keep}, which leaves "${empty[0]}" no weight.`, {
    subject: 'keep',
    value: keep,
    remedy: 'Keep a larger fraction.',
  });
}
