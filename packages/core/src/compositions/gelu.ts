import type { GeluApproximation } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

const slope = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** x · Φ(x) (Hendrycks & Gimpel, arXiv:1606.08415), or its approximation by tanh. */
export function gelu(ops: EagerOperations, x: Tensor, approximation: GeluApproximation): Tensor {
  return ops.scope(() => ops.multiply(x, distribution(ops, x, approximation)));
}

/** dy · (Φ(x) + x · Φ′(x)). */
export function geluGradient(ops: EagerOperations, x: Tensor, dy: Tensor, approximation: GeluApproximation): Tensor {
  return ops.scope(() => {
    const slopeTerm = ops.multiply(x, density(ops, x, approximation));
    return ops.multiply(dy, ops.add(distribution(ops, x, approximation), slopeTerm));
  });
}

/** Φ(x) = ½ (1 + erf(x / √2)) ≈ ½ (1 + tanh(√(2/π) (x + 0.044715 x³))). */
function distribution(ops: EagerOperations, x: Tensor, approximation: GeluApproximation): Tensor {
  return ops.scope(() => {
    const odd = approximation === 'none' ? ops.erf(ops.multiply(x, Math.SQRT1_2)) : ops.tanh(tanhArgument(ops, x));
    return ops.multiply(ops.add(odd, 1), 0.5);
  });
}

/**
 * Φ′(x). Far out it is 0, but the product of 0 and an overflowed factor would be NaN: so the argument is clipped first.
 */
function density(ops: EagerOperations, x: Tensor, approximation: GeluApproximation): Tensor {
  return ops.scope(() => {
    const near = ops.minimum(ops.maximum(x, -30), 30);
    const squared = ops.multiply(near, near);
    if (approximation === 'none') {
      return ops.multiply(ops.exp(ops.multiply(squared, -0.5)), 1 / Math.sqrt(2 * Math.PI));
    }
    const tanh = ops.tanh(tanhArgument(ops, near));
    const sechSquared = ops.subtract(1, ops.multiply(tanh, tanh));
    const inner = ops.add(ops.multiply(squared, 1.5 * slope * cubic), 0.5 * slope);
    return ops.multiply(sechSquared, inner);
  });
}

function tanhArgument(ops: EagerOperations, x: Tensor): Tensor {
  const squared = ops.multiply(x, x);
  return ops.multiply(x, ops.add(ops.multiply(squared, slope * cubic), slope));
}
