import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { findFloat32Binade } from './binades.js';
import { largestFloat32 } from './float32.js';

/**
 * BF16 has 7 mantissa bits and the exponents of f32: each value is scaled to [128, 256), rounded to an integer (ties to
 * even) and scaled back. The lift of 126 gives all subnormals the one spacing 2^-133. The values must be f32 ones: a
 * backend that stores more rounds its inputs first.
 */
export function roundToBfloat16(ops: EagerOperations, x: Tensor): Tensor {
  return onBfloat16Grid(ops, x, (steps) => ops.round(steps));
}

/**
 * Stochastic rounding to BF16: away from zero where the uniform of the element is less than the fraction of the spacing
 * that truncation would cut off, so that the mean is x. Exact, because that fraction has 16 bits and a uniform has 24.
 */
export function roundToBfloat16Stochastically(ops: EagerOperations, x: Tensor, key: RandomKey): Tensor {
  return ops.scope(() => {
    const uniforms = ops.randomUniform(x.shape, key);
    return onBfloat16Grid(ops, x, (steps) => {
      const nearest = ops.round(steps);
      const truncated = ops.where(ops.greater(nearest, steps), ops.subtract(nearest, 1), nearest);
      const isUp = ops.less(uniforms, ops.subtract(steps, truncated));
      return ops.where(isUp, ops.add(truncated, 1), truncated);
    });
  });
}

/**
 * The weight split of FlashOptim (arXiv:2602.23349, algorithm 1), decoded again: θ' is x rounded to BF16, and ρ =
 * round(127·(x − θ') / (ulp(θ') / 2)) an 8-bit integer; θ' + ρ/127·ulp(θ')/2 is returned.
 */
export function roundToSplit24(ops: EagerOperations, x: Tensor): Tensor {
  return onBfloat16Grid(ops, x, (steps) => {
    const nearest = ops.round(steps);
    // Where rounding has reached the next binade, its unit in the last place is two of these steps.
    const codesPerStep = ops.where(ops.equal(nearest, 2 ** 8), 127, 254);
    const code = ops.round(ops.multiply(ops.subtract(steps, nearest), codesPerStep));
    return ops.add(nearest, ops.divide(code, codesPerStep));
  });
}

function onBfloat16Grid(ops: EagerOperations, x: Tensor, toInteger: (steps: Tensor) => Tensor): Tensor {
  return ops.scope(() => {
    const { significand, factor } = findFloat32Binade(ops, ops.absolute(x), 126);
    const rounded = ops.multiply(toInteger(ops.multiply(significand, 2 ** 7)), 2 ** -7);
    const magnitude = ops.divide(rounded, factor);
    // In f32 the division has overflowed by itself; where more is stored it has not.
    const bounded = ops.where(ops.greater(magnitude, largestFloat32), Infinity, magnitude);
    const signed = ops.where(ops.less(x, 0), ops.negate(bounded), bounded);
    return ops.where(ops.equal(x, 0), x, signed);
  });
}
