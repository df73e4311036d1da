import { expect } from 'vitest';
import type { EagerOperations, Tensor } from '../index.js';

/** Reads `x` and compares each element, relative to its size; NaN only beside NaN, infinities exactly. */
export async function expectTensor(
  ops: EagerOperations,
  x: Tensor,
  shape: readonly number[],
  values: readonly number[],
  tolerance = 0,
): Promise<void> {
  expect(x.shape).toEqual(shape);
  const data = await ops.read(x);
  expect(data.length).toBe(values.length);
  values.forEach((want, i) => {
    const got = data[i]!;
    const message = `element ${i} is ${got}, expected ${want}`;
    if (tolerance === 0 || !Number.isFinite(want)) expect(got, message).toBe(want);
    else expect(Math.abs(got - want), message).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want)));
  });
}
