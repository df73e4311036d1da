import { LmdError } from '../errors.js';
import type { BlockFormat, ElementFormat, RandomKey, Rounding, ScaleMode } from '../formats.js';
import type { FusedKernels } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { findBinade } from './binades.js';
import { inverseBlockScale } from './block-scale.js';
import { joinBlocks, planBlocks, splitIntoBlocks } from './blocks.js';
import { largestFloat32 } from './float32.js';

/** An integer grid that is the same for both signs: magnitudes are rounded, and the sign is put back. */
export interface Rounder {
  readonly rounding: Rounding;
  /** For `stochastic`: the uniforms of the elements, cut into blocks as the values are. */
  readonly uniforms: Tensor | undefined;
}

/**
 * Block quantization to any format with power-of-two scales, and back, by f32 operations that are all exact but the one
 * rounding; so every backend with IEEE arithmetic and subnormals gives the same bits. The values must be f32 ones: a
 * backend that stores more rounds its inputs first.
 *
 * Stochastic rounding goes away from zero when the uniform of the element's row-major position in `x` (the upper 24
 * bits of its random word, times 2^-24) is less than the fraction of the unit in the last place that truncation would
 * cut off.
 */
export function fakeQuantize(
  ops: EagerOperations,
  x: Tensor,
  options: Parameters<FusedKernels['fakeQuantize']>[1],
): Tensor {
  const { format, axis, rounding, scaleMode, key } = options;
  checkComposable('fakeQuantize', format);
  return ops.scope(() => {
    const plan = planBlocks(x.shape, axis, format.blockSize);
    const blocks = splitIntoBlocks(ops, x, plan);
    const uniforms =
      rounding === 'stochastic' ? splitIntoBlocks(ops, ops.randomUniform(x.shape, key as RandomKey), plan) : undefined;
    const { rounded, inverse, finite } = roundBlocks(ops, blocks, format.element, scaleMode, { rounding, uniforms });
    const magnitude = ops.divide(rounded, inverse);
    // In f32 this has overflowed by itself; where more is stored it has not. `floor` never reaches so far.
    const bounded =
      scaleMode === 'floor' ? magnitude : ops.where(ops.greater(magnitude, largestFloat32), Infinity, magnitude);
    const signed = restoreSign(ops, blocks, bounded, format.element);
    return joinBlocks(ops, ops.where(finite, signed, Number.NaN), plan);
  });
}

/** Blocks [outer, blocks, blockSize, inner] rounded: what packed codes are made of, without signs. */
export interface RoundedBlocks {
  /** Magnitudes on the element's grid, in units of the scale. */
  readonly rounded: Tensor;
  /** 1 / scale, a power of two: [outer, blocks, 1, inner]. */
  readonly inverse: Tensor;
  /** i32, of the shape of `inverse`: 0 for a block with a NaN or an infinity. */
  readonly finite: Tensor;
}

export function roundBlocks(
  ops: EagerOperations,
  blocks: Tensor,
  element: ElementFormat,
  scaleMode: ScaleMode,
  rounder: Rounder,
): RoundedBlocks {
  return ops.scope(() => {
    const magnitudes = ops.absolute(blocks);
    const largest = ops.max(magnitudes, { axes: 2, keepDims: true });
    const inverse = inverseBlockScale(ops, largest, element, scaleMode);
    return {
      rounded: roundMagnitudes(ops, magnitudes, inverse, element, rounder),
      inverse,
      // False beside a NaN as well as for an infinity.
      finite: ops.less(largest, Infinity),
    };
  });
}

/** Scaled magnitudes on the element's grid, still scaled, saturated at its largest value. */
function roundMagnitudes(
  ops: EagerOperations,
  magnitudes: Tensor,
  inverse: Tensor,
  element: ElementFormat,
  rounder: Rounder,
): Tensor {
  return ops.scope(() => {
    const scaled = ops.multiply(magnitudes, inverse);
    if (element.kind === 'int') {
      const quantum = 2 ** -element.mantissaBits;
      const steps = roundSteps(ops, ops.divide(scaled, quantum), magnitudes, rounder);
      return ops.minimum(ops.multiply(steps, quantum), element.largest);
    }
    const { emin, emax, mantissaBits } = element;
    // Below the smallest normal number the spacing stays that of its binade: subnormals.
    const { significand, factor } = findBinade(ops, scaled, emin, emax - emin);
    const steps = roundSteps(ops, ops.multiply(significand, 2 ** (mantissaBits - emin)), magnitudes, rounder);
    const values = ops.divide(ops.multiply(steps, 2 ** (emin - mantissaBits)), factor);
    return ops.minimum(values, element.largest);
  });
}

/** Non-negative values, in units of the last place, to integers. */
function roundSteps(ops: EagerOperations, x: Tensor, magnitudes: Tensor, { rounding, uniforms }: Rounder): Tensor {
  return ops.scope(() => {
    const nearest = ops.round(x);
    if (rounding === 'nearestEven') return nearest;
    const truncated = ops.where(ops.greater(nearest, x), ops.subtract(nearest, 1), nearest);
    if (rounding === 'towardZero') return truncated;
    const next = ops.add(truncated, 1);
    // Exact, whereas x + ½ would not be.
    const beyond = ops.subtract(x, truncated);
    if (rounding === 'nearestAway') return ops.where(ops.less(beyond, 0.5), truncated, next);
    // Scaling may have rounded the smallest values to 0, yet a uniform of 0 is less than any fraction that is not.
    const cutOff = ops.where(ops.less(x, 2 ** -60), ops.where(ops.greater(magnitudes, 0), 2 ** -60, 0), beyond);
    return ops.where(ops.less(uniforms as Tensor, cutOff), next, truncated);
  });
}

/** Two's complement has no −0; sign and magnitude have, and keep it. */
function restoreSign(ops: EagerOperations, blocks: Tensor, magnitude: Tensor, { kind }: ElementFormat): Tensor {
  return ops.scope(() => {
    const negative = ops.less(blocks, 0);
    if (kind === 'int') return ops.where(negative, ops.subtract(0, magnitude), magnitude);
    return ops.where(ops.equal(blocks, 0), blocks, ops.where(negative, ops.negate(magnitude), magnitude));
  });
}

export function checkComposable(
  operation: string,
  { name, scale, element: { kind, mantissaBits } }: BlockFormat,
): void {
  if (scale === 'e8m0' && (kind === 'int' || mantissaBits > 0)) return;
  const reason = scale === 'e8m0' ? 'elements without mantissa bits' : `scales of kind "${scale}"`;
  throw new LmdError(
    'UNSUPPORTED',
    `${operation}: format "${name}" has ${reason}, which core cannot compose from primitives.`,
    {
      subject: 'format',
      value: name,
      remedy: `Use a backend with ${operation} kernels for it, or a format with power-of-two scales (e8m0).`,
    },
  );
}
