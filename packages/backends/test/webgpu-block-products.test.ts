import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations } from '@lmd/core';
import { formats, roundings } from '@lmd/mx-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { encode, nvfp4Operands, type Operand } from './block-operands.js';
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

/** NaNs alike, zeros apart. */
const bits = (x: unknown) => Array.from(x as Float32Array);

async function results(ops: EagerOperations, operands: readonly [Operand, Operand]): Promise<number[][]> {
  const before = ops.memory().tensors;
  const made = ops.scope(() => {
    const [a, b] = [encode(ops, operands[0]), encode(ops, operands[1])];
    return [ops.blockMatmul(a, b), ops.decodeOperand(a), ops.decodeOperand(b)];
  });
  const data = await Promise.all(made.map((x) => ops.read(x)));
  for (const x of made) ops.dispose(x);
  expect(ops.memory().tensors).toBe(before);
  return data.map(bits);
}

describe.skipIf(missingWebgpu !== undefined).each([true, false])(
  `exact products, dot4I8Packed %s ${missingWebgpu ?? ''}`,
  (packedDot) => {
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
      for (const operands of nvfp4Operands()) {
        expect(await results(ops, operands)).toEqual(await results(reference, operands));
      }
    });
  },
);

describe.skipIf(missingWebgpu !== undefined)(`fakeQuantize to NVFP4 ${missingWebgpu ?? ''}`, () => {
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
