import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { type BlockFormat, createOperations, type EagerOperations, type EncodedOperand } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { encode, nvfp4Operands, type Operand } from './block-operands.js';
import { randomFloats } from './random-values.js';

const reference = createOperations(createReferenceBackend());

async function product(ops: EagerOperations, a: Operand, b: Operand): Promise<Float32Array> {
  const before = ops.memory().tensors;
  const y = ops.scope(() => {
    return ops.blockMatmul(encode(ops, a), encode(ops, b));
  });
  const data = (await ops.read(y)) as Float32Array;
  ops.dispose(y);
  expect(ops.memory().tensors).toBe(before);
  return data;
}

/** NaNs alike, zeros apart. */
const bits = (x: Float32Array) => Array.from(x);

const arithmetics = ['strict', 'fused'] as const;
/** Node 20 has no relaxed SIMD. */
const available = await Promise.all(
  arithmetics.map((arithmetic) =>
    createCpuBackend({ arithmetic, threads: 1 }).then(
      (backend) => [backend, arithmetic] as const,
      () => undefined,
    ),
  ),
);
const engines = available.flatMap((one) => (one === undefined ? [] : [one[1]]));

describe.each(engines)('exact products of the cpu backend, %s', (arithmetic) => {
  it('have the bits of the reference with NVFP4, whose tensors have scales of their own', async () => {
    const ops = createOperations(await createCpuBackend({ arithmetic, threads: 1 }));
    for (const [a, b] of nvfp4Operands()) {
      expect(bits(await product(ops, a, b))).toEqual(bits(await product(reference, a, b)));
      // A row by itself has a kernel of its own, but the scale of another tensor.
      const row = { ...a, values: a.values.slice(70, 140), shape: [1, 70] };
      expect(bits(await product(ops, row, b))).toEqual(bits(await product(reference, row, b)));
    }
  });

  it('do not depend on the number of threads', async () => {
    const operands = (format: BlockFormat) =>
      [
        { values: randomFloats(3 * 130 * 70, 3), shape: [3, 130, 70], axis: 2, format },
        { values: randomFloats(3 * 70 * 50, 4), shape: [3, 70, 50], axis: 1, format },
      ] as const;
    const results = new Set<string>();
    for (let threads = 1; threads <= 8; threads++) {
      const backend = await createCpuBackend({ arithmetic, threads, parallelThreshold: 0 });
      const ops = createOperations(backend);
      const [a, b] = operands(formats.mxfp6_e2m3);
      results.add(bits(await product(ops, a, b)).join());
      backend.close();
    }
    expect(results.size).toBe(1);
  });

  it('take the code −128 of INT8, which only others write', async () => {
    const rows = 3;
    const integers = Int8Array.from({ length: rows * 64 }, (_, i) => (i % 3 === 0 ? -128 : i % 2 === 0 ? 127 : i - 90));
    const scales = Uint8Array.from({ length: 8 }, (_, i) => 120 + i);
    const int8 = (ops: EagerOperations, reads: boolean): EncodedOperand => ({
      format: formats.mxint8,
      shape: [rows, 64],
      axis: 1,
      tensors: reads
        ? {
            codes: ops.fromData(Int32Array.from(integers), [1, rows, 64], 'i32'),
            scales: ops.fromData(scales.subarray(0, 2 * rows), [1, rows, 2], 'u8'),
          }
        : {
            codes: ops.fromData(new Int32Array(integers.buffer), [rows * 16], 'i32'),
            scales: ops.fromData(new Int32Array(scales.buffer), [2], 'i32'),
          },
    });
    const cpu = createOperations(await createCpuBackend({ arithmetic, threads: 1 }));
    for (const format of [formats.mxint8, formats.mxfp6_e2m3]) {
      const results = [cpu, reference].map((ops) => {
        const other = ops.encodeOperand(ops.fromData(randomFloats(5 * 64, 5), [5, 64]), { format, axis: 1 });
        const own = int8(ops, ops === reference);
        return [ops.blockMatmul(own, other), ops.blockMatmul(other, own), ops.decodeOperand(own)].map((x) =>
          ops.read(x),
        );
      });
      const [ours, want] = await Promise.all(results.map((reads) => Promise.all(reads)));
      for (const [i, data] of ours!.entries())
        expect(bits(data as Float32Array)).toEqual(bits(want![i] as Float32Array));
    }
  });
});
