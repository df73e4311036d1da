import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

export interface Binade {
  /** The magnitude times `factor`. */
  readonly significand: Tensor;
  /** A power of two. */
  readonly factor: Tensor;
}

/**
 * Finds the binade of each magnitude by comparisons and multiplications with powers of two, which are exact; a
 * logarithm is not. Magnitudes below `2^lowest · 2` keep factor 1; each of the others is brought into
 * `[2^lowest, 2^lowest · 2)`, from up to 2^(lowest + reach). This is a binary search over the exponent.
 */
export function findBinade(ops: EagerOperations, magnitudes: Tensor, lowest: number, reach: number): Binade {
  return refine(
    ops,
    { significand: ops.reshape(magnitudes, magnitudes.shape), factor: ops.full([], 1) },
    lowest,
    reach,
  );
}

/**
 * As `findBinade` for all of f32, with significands in [1, 2). Magnitudes under 1 are first multiplied by 2^lift, so
 * that nothing is ever scaled down into the subnormals; those under 2^-lift keep a significand under 1 and the factor
 * 2^lift.
 */
export function findFloat32Binade(ops: EagerOperations, magnitudes: Tensor, lift: number): Binade {
  const factor = ops.scope(() => ops.where(ops.less(magnitudes, 1), 2 ** lift, 1));
  return refine(ops, { significand: ops.multiply(magnitudes, factor), factor }, 0, 127);
}

function refine(ops: EagerOperations, start: Binade, lowest: number, reach: number): Binade {
  let { significand, factor } = start;
  for (let step = 2 ** Math.floor(Math.log2(Math.max(reach, 1))); step >= 1; step /= 2) {
    const next = ops.scope(() => {
      const down = ops.where(ops.less(significand, 2 ** (lowest + step)), 1, 2 ** -step);
      return { significand: ops.multiply(significand, down), factor: ops.multiply(factor, down) };
    });
    ops.dispose([significand, factor]);
    ({ significand, factor } = next);
  }
  return { significand, factor };
}
