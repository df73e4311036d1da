import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';
import { largestMagnitude, safeScale } from './norms.js';

/**
 * Root mean square of each initial weight, for multiplicative optimizers, which cannot leave 0: it throws if one is 0
 * or not finite. One readback for all weights, since each is a round trip on a GPU.
 */
export async function rootMeanSquares(
  owner: string,
  ops: EagerOperations,
  weights: NamedTensors,
): Promise<Map<string, number>> {
  const names = Object.keys(weights);
  const stacked = ops.scope(() => {
    const parts = names.flatMap((name) =>
      ops.scope(() => {
        const weight = weights[name]!;
        const scale = safeScale(ops, largestMagnitude(ops, [weight]));
        const scaled = ops.multiply(weight, scale);
        return [ops.mean(ops.multiply(scaled, scaled)), scale].map((scalar) => ops.reshape(scalar, [1]));
      }),
    );
    return ops.concatenate(parts, 0);
  });
  try {
    const parts = await ops.read(stacked);
    return new Map(
      names.map((name, index) => {
        const [mean, scale] = [parts[2 * index]!, parts[2 * index + 1]!];
        return [name, checkScale(owner, name, Math.sqrt(mean) / scale)];
      }),
    );
  } finally {
    ops.dispose(stacked);
  }
}

/** Scales that a caller found by itself, refused as those found here are. */
export function checkedScales(
  owner: string,
  weights: NamedTensors,
  scales: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map(Object.keys(weights).map((name) => [name, checkScale(owner, name, scales.get(name) ?? Number.NaN)]));
}

function checkScale(owner: string, name: string, scale: number): number {
  if (scale > 0 && Number.isFinite(scale)) return scale;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${owner}: the initial weights "${name}" have root mean square ${scale}, so the optimizer has no scale to start from.`,
    {
      subject: name,
      value: scale,
      remedy: `Initialise "${name}" with finite values that are not all 0, or put it into an AdamW group with parameterGroups.`,
    },
  );
}
