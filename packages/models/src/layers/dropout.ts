import { type Operations, streamOf, type Tensor } from '@lmd/core';
import type { LayerContext } from './context.js';

/**
 * Dropout (Srivastava et al. 2014) in training: each element is set to zero with probability `rate`, and otherwise
 * divided by 1 − rate. The mask is a function of the key of the pass and of `name`, so the backward pass generates it
 * again instead of storing it. Outside of training, or with rate 0, it returns `x`.
 */
export function dropout(ops: Operations, x: Tensor, rate: number, name: string, context: LayerContext): Tensor {
  if (!context.training || rate === 0) return x;
  const { seed, step, sample } = context.key;
  const key = { seed, step, sample, stream: streamOf(`${name}/dropout`) };
  const masked = (plain: Operations, source: Tensor): Tensor => {
    const dropped = plain.less(plain.randomUniform(source.shape, key), rate);
    return plain.where(dropped, 0, plain.multiply(source, 1 / (1 - rate)));
  };
  return ops.customGradient([x], {
    forward: (plain, [source]) => masked(plain, source!),
    backward: (plain, dy) => [masked(plain, dy)],
    saves: { inputs: [], output: false },
  });
}

/**
 * Stochastic depth (Huang et al. 2016) in training: the branch [batch, ...] of each example is set to zero with
 * probability `rate`, and otherwise divided by 1 − rate. The mask is a function of the key of the pass and of `name`.
 */
export function stochasticDepth(
  ops: Operations,
  branch: Tensor,
  rate: number,
  name: string,
  context: LayerContext,
): Tensor {
  if (!context.training || rate === 0) return branch;
  const { seed, step, sample } = context.key;
  const key = { seed, step, sample, stream: streamOf(`${name}/stochasticDepth`) };
  return ops.scope(() => {
    const [batch, ...rest] = branch.shape as readonly [number, ...number[]];
    const dropped = ops.less(ops.randomUniform([batch, ...rest.map(() => 1)], key), rate);
    return ops.multiply(branch, ops.where(dropped, ops.zeros([]), 1 / (1 - rate)));
  });
}
