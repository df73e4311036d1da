import type { BlockFormat, EagerOperations, EncodedOperand } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { randomFloats } from './random-values.js';

export interface Operand {
  readonly values: Float32Array;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly format: BlockFormat;
}

export const encode = (ops: EagerOperations, { values, shape, axis, format }: Operand): EncodedOperand =>
  ops.encodeOperand(ops.fromData(values, shape), { format, axis });

/**
 * Pairs [11, 70], [70, 9] of which one or both are in NVFP4, whose tensors have scales of their own, and hold 0 and
 * NaN.
 */
export function* nvfp4Operands(): Generator<readonly [Operand, Operand]> {
  const { nvfp4, mxfp6_e2m3, mxint8, mxfp6_e3m2 } = formats;
  for (const [first, second] of [
    [nvfp4, nvfp4],
    [nvfp4, mxfp6_e2m3],
    [mxint8, nvfp4],
    [mxfp6_e3m2, nvfp4],
  ] as const) {
    // Scales of tensors from the least to the largest; together below the normal numbers and beyond f32.
    for (const [sizeA, sizeB] of [
      [1, 1],
      [2 ** -60, 2 ** -62],
      [2 ** -68, 2 ** -60],
      [2 ** 100, 2 ** -100],
      [2 ** 66, 2 ** 62],
      [2 ** -110, 2 ** 20],
      [2 ** -125, 2 ** 126],
    ] as const) {
      const a = { values: randomFloats(11 * 70, 1, sizeA), shape: [11, 70], axis: 1, format: first };
      const b = { values: randomFloats(70 * 9, 2, sizeB), shape: [70, 9], axis: 0, format: second };
      a.values.fill(0, 0, 40);
      b.values[5] = Number.NaN;
      yield [a, b];
    }
  }
}
