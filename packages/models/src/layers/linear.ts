import type { Operations, Tensor } from '@lmd/core';
import { packedProduct } from '../packed-product.js';
import { quantizedMatmul } from '../quantized-matmul.js';
import type { LayerContext } from './context.js';
import { packedWeight, parameter } from './parameters.js';

/**
 * x·W + b over the last axis: [..., inputs] → [..., outputs], with `<name>.weight` [inputs, outputs], packed or not,
 * and `<name>.bias`.
 */
export function linear(ops: Operations, x: Tensor, name: string, context: LayerContext): Tensor {
  const { precision, key, weights, encodedWeights } = context;
  return ops.scope(() => {
    const packed = packedWeight(context, `${name}.weight`);
    if (packed !== undefined) {
      const product = packedProduct(ops, x, packed, { precision, key, product: name });
      return ops.add(product, parameter(weights, `${name}.bias`));
    }
    const options = { precision, key, product: name, encodedWeights };
    const y = quantizedMatmul(ops, x, parameter(weights, `${name}.weight`), options);
    return ops.add(y, parameter(weights, `${name}.bias`));
  });
}
