import type { Operations, Tensor } from '@lmd/core';
import type { ResolvedGpt2Config } from './gpt2-config.js';
import type { LayerContext } from './layers/context.js';
import { layerNorm } from './layers/layer-norm.js';
import { packedWeight, parameter } from './layers/parameters.js';
import { packedProduct } from './packed-product.js';
import { fullPrecision } from './precision.js';
import { quantizedMatmul } from './quantized-matmul.js';

/** The token embedding [vocabulary, width], which is also the transposed output matrix. */
export const headWeight = 'tokenEmbedding.weight';
/** A quantized copy of the token embedding, if inference has created one (`roundWeights`). */
export const roundedHeadWeight = 'tokenEmbedding.rounded';

/** The final norm, and the product with the transposed token embedding: [..., width] → [..., vocabulary]. */
export function logitsOf(ops: Operations, x: Tensor, options: ResolvedGpt2Config, context: LayerContext): Tensor {
  const { weights, precision, key, encodedWeights } = context;
  return ops.scope(() => {
    const normed = layerNorm(ops, x, 'norm', options.layerNormEpsilon, context);
    const packed = packedWeight(context, headWeight);
    if (packed !== undefined) {
      const headPrecision = options.quantizeHead ? precision : fullPrecision;
      return packedProduct(ops, normed, packed, { precision: headPrecision, key, product: 'head' });
    }
    return quantizedMatmul(ops, normed, weights[roundedHeadWeight] ?? parameter(weights, headWeight), {
      precision: options.quantizeHead ? precision : fullPrecision,
      key,
      product: 'head',
      encodedWeights,
      transposeB: true,
    });
  });
}
