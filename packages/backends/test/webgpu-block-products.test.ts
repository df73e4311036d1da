import { createReferenceBackend } from '@lmd/backends/reference';
import { type BlockFormat, createOperations, type EagerOperations, type EncodedOperand } from '@lmd/core';
import { formats, roundings } from '@lmd/mx-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFloats } from './random-values.js';
import { closeAll, dawn, missingWebgpu, openWebgpu } from './webgpu-engine.js';

const reference = createOperations(createReferenceBackend());
afterAll(closeAll);

/** With `dot4I8Packed` where there is one, and without. */
async function open(packedDot: boolean) {
  if (packedDot) return openWebgpu();
  const gpu = await dawn();
  return openWebgpu({ gpu: { requestAdapter: () => gpu.requestAdapter() } });
}

interface Operand {
  readonly values: Float32Array;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly format: BlockFormat;
}

/** NaNs alike, zeros apart. */
const bits = (x: unknown) => Array.from(x as Float32Array);

async function results(ops: EagerOperations, operands: readonly [Operand, Operand]): Promise<number[][]> {
  const before = ops.memory().tensors;
  const made = ops.scope(() => {
    const [a, b] = operands.map(({ values, shape, axis, format }) =>
      ops.encodeOperand(ops.fromData(values, shape), { format, axis }),
    ) as [EncodedOperand, EncodedOperand];
    return [ops.blockMatmul(a, b), ops.decodeOperand(a), ops.decodeOperand(b)];
  });
  const data = await Promise.all(made.map((x) => ops.read(x)));
  for (const x of made) ops.dispose(x);
  expect(ops.memory().tensors).toBe(before);
  return data.map(bits);
}

describe.skipIf(missingWebgpu !== undefined).each([true, false])('exact products, dot4I8Packed %s', (packedDot) => {
  it('says how it multiplies', async () => {
    const backend = await open(packedDot);
    expect(backend.device).toContain(packedDot ? 'dot4I8Packed' : 'i32 multiplication');
  });

  it('have the bits of the reference past one tile, with operands of one byte and of two', async () => {
    const ops = createOperations(await open(packedDot));
    const { mxfp4_e2m1, mxfp6_e2m3, mxfp6_e3m2, mxint8 } = formats;
    for (const [first, second] of [
      [mxfp6_e2m3, mxfp4_e2m1],
      [mxfp6_e3m2, mxint8],
      [mxint8, mxfp6_e3m2],
      [mxfp6_e3m2, mxfp6_e3m2],
    ] as const) {
      const a = { values: randomFloats(70 * 75, 1), shape: [70, 75], axis: 1, format: first };
      const b = { values: randomFloats(75 * 66, 2), shape: [75, 66], axis: 0, format: second };
      expect(await results(ops, [a, b])).toEqual(await results(reference, [a, b]));
    }
  });

  it('have the bits of the reference with NVFP4, whose tensors have scales of their own', async () => {
    const ops = createOperations(await open(packedDot));
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
        expect(await results(ops, [a, b])).toEqual(await results(reference, [a, b]));
      }
    }
  });
});

describe.skipIf(missingWebgpu !== undefined)('fakeQuantize to NVFP4', () => {
  it('has the bits of the reference for every rounding, along either axis', async () => {
    const ops = createOperations(await openWebgpu());
    for (const size of [1, 2 ** -120, 2 ** 100, 2 ** -140]) {
      const values = randomFloats(300 * 40, 3, size);
      values.fill(-0, 0, 64);
      values[777] = Number.POSITIVE_INFINITY;
      for (const rounding of roundings) {
        for (const axis of [0, 1]) {
          const key = rounding === 'stochastic' ? { key: { seed: 5, stream: 1, step: 2, sample: 3 } } : {};
          const [got, want] = await Promise.all(
            [ops, reference].map((one) =>
              one.read(
                one.fakeQuantize(one.fromData(values, [300, 40]), { format: formats.nvfp4, axis, rounding, ...key }),
              ),
            ),
          );
          expect(bits(got)).toEqual(bits(want));
        }
      }
    }
  });
});
