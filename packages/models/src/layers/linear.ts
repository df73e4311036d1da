import type { Operations, Tensor } from '@lmd/core';
import { quantizedMatmul } from '../quantized-matmul.js';
import type { LayerContext } from './context.js';
import { parameter } from './parameters.js';

/**
 * x·W + b over the last axis: [..., inputs] → [..., outputs], with `<name>.weight` [inputs, outputs] and `<name>.bias`.
 */
export function linear(ops: Operations, x: Tensor, name: string, context: LayerContext): Tensor {
  const { precision, key, weights, encodedWeights } = context;
  return ops.scope(() => {
    const options = { precision, key, product: name, encodedWeights };
    const y = quantizedMatmul(ops, x, parameter(weights, `${name}.weight`), options);
    return ops.add(y, parameter(weights, `${name}.bias`));
  });
}
