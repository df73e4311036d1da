import type { GeluApproximation, Operations, Tensor } from '@lmd/core';
import { attention } from './attention.js';
import type { LayerContext } from './context.js';
import { layerNorm } from './layer-norm.js';
import { mlp } from './mlp.js';

export interface TransformerBlockOptions {
  readonly heads: number;
  readonly gelu: GeluApproximation;
  readonly layerNormEpsilon: number;
}

/** A pre-norm block: x + attention(norm1(x)), then + mlp(norm2(·)). The residual stream stays in f32. */
export function transformerBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  options: TransformerBlockOptions,
  context: LayerContext,
): Tensor {
  const norm = (input: Tensor, which: string) =>
    layerNorm(ops, input, `${name}.${which}`, options.layerNormEpsilon, context);
  return ops.scope(() => {
    const attended = ops.scope(() =>
      ops.add(x, attention(ops, norm(x, 'norm1'), `${name}.attention`, options.heads, context)),
    );
    return ops.scope(() => ops.add(attended, mlp(ops, norm(attended, 'norm2'), `${name}.mlp`, options.gelu, context)));
  });
}
