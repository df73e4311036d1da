import type { GeluApproximation, Operations, Tensor } from '@lmd/core';
import type { LayerContext } from './context.js';
import { linear } from './linear.js';

/** Two linear layers with a GELU in between: `<name>.up` and `<name>.down`. [..., width] → [..., width]. */
export function mlp(
  ops: Operations,
  x: Tensor,
  name: string,
  approximation: GeluApproximation,
  context: LayerContext,
): Tensor {
  return ops.scope(() => {
    const hidden = ops.scope(() => ops.gelu(linear(ops, x, `${name}.up`, context), approximation));
    return linear(ops, hidden, `${name}.down`, context);
  });
}
