import type { EagerOperations, NamedTensors, Pass, Tensor } from '@lmd/core';
import { fromBfloat16 } from './bfloat16.js';
import type { ArrayReader } from './channel.js';
import type { Bucket, GradientFormat, SentGradient } from './gradient-sender.js';
import type { Scratch } from './scratch.js';

interface Addition {
  readonly rank: number;
  readonly format: GradientFormat;
  /** Number of losses in front of the last bucket. */
  readonly losses: number;
  /** For values in BF16 that become f32. */
  readonly scratch: Scratch;
}

export const keyOf = (pass: number, weight: string) => `${pass} ${weight}`;

/**
 * Adds the gradients of all workers on the backend, in the order of the ranks, as one process adds those of its
 * micro-batches. Buckets are added as they arrive.
 *
 * @param sums receives a new tensor for each gradient, which the caller frees.
 * @returns the sums of the losses.
 */
export async function addAll(
  ops: EagerOperations,
  buckets: readonly Bucket[],
  { rank, format, losses, scratch }: Addition,
  sums: Map<string, Tensor>,
): Promise<number[]> {
  let lossSums: number[] = [];
  for (const [index, { gradients, contributions }] of buckets.entries()) {
    const readers = await contributions;
    if (index === buckets.length - 1) lossSums = addLosses(readers, losses);
    for (const gradient of gradients) {
      const sum = ops.scope(() =>
        ops.keep(addOne(ops, gradient, readers, format === 'f32' ? rank : undefined, scratch)),
      );
      sums.set(keyOf(gradient.pass, gradient.weight), sum);
    }
  }
  return lossSums;
}

/** @param own rank whose contribution is the worker's own gradient to the bit, in f32; undefined in BF16. */
function addOne(
  ops: EagerOperations,
  { own: gradient }: SentGradient,
  readers: readonly ArrayReader[],
  own: number | undefined,
  scratch: Scratch,
): Tensor {
  const { shape } = gradient;
  const length = shape.reduce((product, extent) => product * extent, 1);
  let sum: Tensor | undefined;
  for (const [rank, reader] of readers.entries()) {
    const values = own === undefined ? fromBfloat16(reader.halves(length), scratch.of(length)) : reader.floats(length);
    const term = rank === own ? gradient : ops.fromData(values, shape);
    if (sum === undefined) {
      sum = term;
      continue;
    }
    const before = sum;
    sum = ops.add(before, term);
    for (const used of [before, term]) if (used !== gradient) ops.dispose(used);
  }
  // The caller frees the result, and the run its gradient.
  return sum === gradient ? ops.reshape(gradient, shape) : sum!;
}

/** f32 additions. */
function addLosses(readers: readonly ArrayReader[], count: number): number[] {
  const terms = readers.map((reader) => [...reader.floats(count)]);
  return terms.reduce((sums, term) => sums.map((sum, index) => Math.fround(sum + term[index]!)));
}

/** Passes with the same keys and the tensors of `addAll`. */
export function replacedBy(passes: readonly Pass[], sums: ReadonlyMap<string, Tensor>): Pass[] {
  return passes.map(({ key, gradients }, pass) => {
    const names = Object.keys(gradients);
    const next = Object.fromEntries(names.map((name) => [name, sums.get(keyOf(pass, name))!])) satisfies NamedTensors;
    return { key, gradients: next };
  });
}
