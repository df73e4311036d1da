import type { ElementFormat, ScaleMode } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { findFloat32Binade } from './binades.js';

/**
 * 1 / scale of each block from its largest magnitude A: a power of two in [2^-127, 2^127]. The scale is 2^(⌊log2 A⌋ −
 * emax) (OCP MX v1.0, section 6.3), or twice that where the mode says so. The inverse is what is computed, because it
 * is the factor that the elements need. A block of zeros, or of values too small for any scale, gets the smallest
 * scale, 2^-127.
 */
export function inverseBlockScale(
  ops: EagerOperations,
  largest: Tensor,
  element: ElementFormat,
  mode: ScaleMode,
): Tensor {
  return ops.scope(() => {
    const { significand, factor } = findFloat32Binade(ops, largest, 127);
    const floored = ops.multiply(factor, 2 ** element.emax);
    const inverse =
      mode === 'floor'
        ? floored
        : ops.multiply(floored, ops.where(ops.less(significand, firstRoundedUp(element, mode)), 1, 0.5));
    return ops.minimum(ops.maximum(inverse, 2 ** -127), 2 ** 127);
  });
}

/** The smallest significand, in [1, 2], of a block maximum for which the mode takes the next power of two. */
function firstRoundedUp(element: ElementFormat, mode: 'ceil' | 'rceil' | 'even'): number {
  const nextAfter = (value: number) => value + 2 ** -23;
  switch (mode) {
    case 'ceil':
      return nextAfter(1);
    case 'rceil':
      return nextAfter(element.largest * 2 ** -element.emax);
    case 'even':
      // Half a unit below 2: the significand with all mantissa bits set is odd, so the tie goes up.
      return 2 - 2 ** -(significantBits(element) + 1);
  }
}

/** Bits after the leading one in the binade of `emax`. */
function significantBits(element: ElementFormat): number {
  return element.kind === 'int' ? element.mantissaBits + element.emax : element.mantissaBits;
}
