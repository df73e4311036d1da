import { createPackedMatmul, createWebgpuBackend } from '@lmd/backends/webgpu';
import { createOperations } from '@lmd/core';
import { fakeQuantize, formats, quantize } from '@lmd/mx-formats';
import { afterAll, beforeAll, expect, it } from 'vitest';

// What the tests of @lmd/backends hold to Dawn, tried on a browser's compiler of shaders.
const backend = await createWebgpuBackend();
const ops = createOperations(backend);
const packed = createPackedMatmul(ops);
const [inputs, outputs] = [70, 40];
let values: Float32Array;

beforeAll(async () => {
  const random = ops.randomNormal([inputs, outputs], { seed: 1, stream: 2, step: 3, sample: 4 });
  values = (await ops.read(random)) as Float32Array;
  ops.dispose(random);
});
afterAll(() => backend.close());

const packable = ['mxfp4_e2m1', 'mxfp6_e2m3', 'mxfp6_e3m2', 'mxfp8_e4m3', 'mxfp8_e5m2', 'mxint8'] as const;

it.each(packable)('codes, values and products of weights packed in %s', async (name) => {
  const format = formats[name];
  const shape = [inputs, outputs];
  const weights = ops.fromData(values, shape);
  const matrix = packed.pack(weights, { format });
  expect(await packed.toMx(matrix)).toEqual(quantize(values, { format, shape, axis: 0 }));
  const unpacked = packed.unpack(matrix);
  const rounded = fakeQuantize(values, { format, shape, axis: 0 });
  expect(await ops.read(unpacked)).toEqual(rounded);
  for (const rows of [1, 4, 33]) {
    const x = ops.randomNormal([rows, inputs], { seed: 5, stream: 6, step: 7, sample: 8 });
    const y = packed.matmul(x, matrix);
    const [a, got] = await Promise.all([ops.read(x), ops.read(y)]);
    for (let i = 0; i < rows * outputs; i++) {
      let [sum, size] = [0, 0];
      for (let k = 0; k < inputs; k++) {
        const term = a[Math.floor(i / outputs) * inputs + k]! * rounded[k * outputs + (i % outputs)]!;
        sum += term;
        size += Math.abs(term);
      }
      if (!(Math.abs(got[i]! - sum) <= (inputs + 2) * 2 ** -24 * size)) expect(got[i]).toBe(sum);
    }
    ops.dispose([x, y]);
  }
  packed.dispose(matrix);
  ops.dispose([weights, unpacked]);
});
