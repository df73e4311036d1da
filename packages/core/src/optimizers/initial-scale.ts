import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';

/**
 * The root mean square of each initial weight, for the multiplicative rules, which cannot leave 0: one that is 0 or not finite
 * is refused. Read back once for all weights, since each readback is a round trip on a GPU.
 */
export async function rootMeanSquares(
  owner: string,
  ops: EagerOperations,
  weights: NamedTensors,
): Promise<Map<string, number>> {
  const names = Object.keys(weights);
  const stacked = ops.scope(() => {
    const means = names.map((name) =>
      ops.scope(() => ops.reshape(ops.mean(ops.multiply(weights[name]!, weights[name]!)), [1])),
    );
    return ops.concatenate(means, 0);
  });
  try {
    const means = await ops.read(stacked);
    return new Map(names.map((name, index) => [name, checkScale(owner, name, Math.sqrt(means[index]!))]));
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
    `${owner}: the initial weights "${name}" have root mean square ${scale}, so there is no scale to start from.`,
    {
      subject: name,
      value: scale,
      remedy: `Initialise "${name}" with finite values that are not all 0, or put it into an AdamW group with parameterGroups.`,
    },
  );
}
