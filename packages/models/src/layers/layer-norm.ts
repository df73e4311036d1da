import type { Operations, Tensor } from '@lmd/core';
import type { LayerContext } from './context.js';
import { parameter } from './parameters.js';

/**
 * Layer normalization over the last axis (Ba, Kiros, Hinton 2016), always in f32, with `<name>.gain` and `<name>.bias`.
 */
export function layerNorm(ops: Operations, x: Tensor, name: string, epsilon: number, context: LayerContext): Tensor {
  return ops.layerNorm(
    x,
    parameter(context.weights, `${name}.gain`),
    parameter(context.weights, `${name}.bias`),
    epsilon,
  );
}
