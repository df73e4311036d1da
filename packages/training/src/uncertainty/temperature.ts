import type { EagerOperations, Tensor } from '@lmd/core';

/** Inverse temperatures at which the slope of the loss is measured: 1/16 to 16, in steps of a factor of √2. */
export const inverseTemperatures: readonly number[] = Array.from({ length: 17 }, (_, index) => 2 ** ((index - 8) / 2));

/** Slope and curvature of the summed loss by the inverse temperature, at each of `inverseTemperatures`. */
export const slopeColumns = 2;

/**
 * The slope and the curvature of Σ over the rows of the cross-entropy of softmax(β·z) by β, on the device: [17, 2]. One
 * pass over the data is enough, and nothing of the size of the logits is stored between batches.
 *
 * @param z log-probabilities or logits [rows, classes].
 * @param isLabel i32 [rows, classes]: 1 at the label; a row of zeros is left out.
 */
export function slopesOf(ops: EagerOperations, z: Tensor, isLabel: Tensor): Tensor {
  return ops.scope(() => {
    const counted = ops.sum(ops.cast(isLabel, 'f32'), { axes: 1 });
    // Near its largest value the squares do not cancel.
    const centred = ops.subtract(z, ops.max(z, { axes: 1, keepDims: true }));
    const ofLabel = ops.sum(ops.where(isLabel, centred, 0), { axes: 1 });
    const parts = inverseTemperatures.flatMap((beta) =>
      ops.scope(() => {
        const p = ops.softmax(ops.multiply(centred, beta));
        // A log-probability of −∞ has probability 0, and counts as nothing.
        const weighted = ops.where(ops.greater(p, 0), ops.multiply(p, centred), 0);
        const mean = ops.sum(weighted, { axes: 1 });
        const square = ops.sum(ops.multiply(weighted, ops.maximum(centred, -1e18)), { axes: 1 });
        const slope = ops.multiply(ops.subtract(mean, ofLabel), counted);
        const curvature = ops.multiply(ops.subtract(square, ops.multiply(mean, mean)), counted);
        return [ops.reshape(ops.sum(slope), [1]), ops.reshape(ops.sum(curvature), [1])];
      }),
    );
    return ops.concatenate(parts, 0);
  });
}

/**
 * The temperature T = 1/β that minimizes the loss of softmax(z/T), from the summed slopes of all batches. The loss is
 * convex in β (Guo et al., arXiv:1706.04599, section 4.2); its slope between two of the measured β is interpolated by a
 * cubic polynomial in log β. Where the minimum is outside of the range, the end of the range: 1/16 or 16.
 */
export function temperatureFrom(sums: ArrayLike<number>): number {
  // By u = log β: dL/du = β·L′ and d²L/du² = β²·L″ + β·L′.
  const points = inverseTemperatures.map((beta, index) => {
    const [slope, curvature] = [sums[slopeColumns * index]!, sums[slopeColumns * index + 1]!];
    return { u: Math.log(beta), slope: beta * slope, curvature: beta * beta * curvature + beta * slope };
  });
  if (points.some(({ slope }) => Number.isNaN(slope))) return Number.NaN;
  const after = points.findIndex(({ slope }) => slope >= 0);
  if (after === 0) return 1 / inverseTemperatures[0]!;
  if (after < 0) return 1 / inverseTemperatures.at(-1)!;
  const [a, b] = [points[after - 1]!, points[after]!];
  const width = b.u - a.u;
  /** Cubic Hermite interpolation of the slope at a.u + t·width. */
  const slopeAt = (t: number) =>
    (1 + 2 * t) * (1 - t) ** 2 * a.slope +
    t * (1 - t) ** 2 * width * a.curvature +
    t * t * (3 - 2 * t) * b.slope +
    t * t * (t - 1) * width * b.curvature;
  let [low, high] = [0, 1];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (slopeAt(middle) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(a.u + high * width));
}
