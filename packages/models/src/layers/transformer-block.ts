import { type GeluApproximation, type Operations, recompute, type Tensor } from '@lmd/core';
import { type AttentionLayerOptions, attention } from './attention.js';
import type { LayerContext } from './context.js';
import { dropout, stochasticDepth } from './dropout.js';
import { layerNorm } from './layer-norm.js';
import { mlp } from './mlp.js';

export interface TransformerBlockOptions extends AttentionLayerOptions {
  readonly gelu: GeluApproximation;
  readonly layerNormEpsilon: number;
  /** Dropout rate of the outputs of attention and MLP. Default 0. */
  readonly dropout?: number;
  /** Stochastic depth: probability that attention, or the MLP, is skipped for an example. Default 0. */
  readonly stochasticDepth?: number;
  /** Stores only `x` and recomputes the block in the backward pass (gradient checkpointing). Default false. */
  readonly recomputation?: boolean | 'blocks';
}

/** A pre-norm block: x + attention(norm1(x)), then + mlp(norm2(·)). The residual stream stays in f32. */
export function transformerBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  options: TransformerBlockOptions,
  context: LayerContext,
): Tensor {
  if (options.recomputation) return recomputedBlock(ops, x, name, options, context);
  const norm = (input: Tensor, which: string) =>
    layerNorm(ops, input, `${name}.${which}`, options.layerNormEpsilon, context);
  const branch = (output: Tensor, which: string) => {
    const dropped = dropout(ops, output, options.dropout ?? 0, `${name}.${which}`, context);
    return stochasticDepth(ops, dropped, options.stochasticDepth ?? 0, `${name}.${which}`, context);
  };
  return ops.scope(() => {
    const residual = ops.scope(() => {
      const attended = attention(ops, norm(x, 'norm1'), `${name}.attention`, options, context);
      return ops.add(x, branch(attended, 'attention'));
    });
    return ops.scope(() => {
      const hidden = mlp(ops, norm(residual, 'norm2'), `${name}.mlp`, options.gelu, context);
      return ops.add(residual, branch(hidden, 'mlp'));
    });
  });
}

function recomputedBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  options: TransformerBlockOptions,
  context: LayerContext,
): Tensor {
  const own = Object.entries(context.weights).filter(([weight]) => weight.startsWith(`${name}.`));
  return recompute(ops, { x, ...Object.fromEntries(own) }, (inner, { x: input, ...weights }) =>
    transformerBlock(inner, input!, name, { ...options, recomputation: false }, { ...context, weights }),
  );
}
