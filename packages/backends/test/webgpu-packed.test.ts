import { createPackedMatmul, type PackedMatmul } from '@lmd/backends/webgpu';
import { createOperations, type EagerOperations } from '@lmd/core';
import { fakeQuantize, formats, quantize, roundings, scaleModes } from '@lmd/mx-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFloats } from './random-values.js';
import { closeAll, missingWebgpu, openWebgpu } from './webgpu-engine.js';

const key = { seed: 5, stream: 6, step: 7, sample: 8 };
const packable = [
  formats.mxfp4_e2m1,
  formats.mxfp6_e2m3,
  formats.mxfp6_e3m2,
  formats.mxfp8_e4m3,
  formats.mxfp8_e5m2,
  formats.mxint8,
];

describe.skipIf(missingWebgpu !== undefined)(`packed weights on WebGPU (${missingWebgpu ?? 'Dawn'})`, () => {
  let ops: EagerOperations;
  let packed: PackedMatmul;

  beforeAll(async () => {
    ops = createOperations(await openWebgpu());
    packed = createPackedMatmul(ops);
  });
  afterAll(closeAll);

  it('has the codes and scales of @lmd/mx-formats, in every format, rounding and scale mode', async () => {
    for (const format of packable) {
      for (const [i, rounding] of roundings.entries()) {
        const scaleMode = scaleModes[i]!;
        for (const [shape, axis] of [
          [[70, 5], 0],
          [[5, 70], 1],
          [[64, 3], 0],
        ] as const) {
          const values = randomFloats(shape[0] * shape[1], 3 + i, 5);
          values.set([NaN, 0, -0, 1e-30], 0);
          const weights = ops.fromData(values, shape);
          const options = { axis, rounding, scaleMode, ...(rounding === 'stochastic' ? { key } : {}) };
          const matrix = packed.pack(weights, { format, ...options });
          const want = quantize(values, { format, shape: [...shape], ...options });
          const got = await packed.toMx(matrix);
          expect(got).toEqual(want);
          const back = packed.unpack(matrix);
          const expected = fakeQuantize(values, { format, shape: [...shape], ...options });
          // Bits, but for the payload of a NaN: −0 is not 0.
          const read = (await ops.read(back)) as Float32Array;
          expect(read.every((value, at) => Object.is(value, expected[at]!))).toBe(true);
          const again = packed.fromMx(want);
          expect(await packed.toMx(again)).toEqual(want);
          for (const one of [matrix, again]) packed.dispose(one);
          ops.dispose([weights, back]);
        }
      }
    }
  });

  it('multiplies as the f32 product with fake-quantized weights does, to the bound of the sum', async () => {
    for (const format of packable) {
      for (const [rows, inputs, outputs] of [
        [1, 96, 40],
        [3, 70, 33],
        [4, 2048, 5],
        [5, 64, 64],
        [37, 100, 70],
      ] as const) {
        const [a, w] = [randomFloats(rows * inputs, 1), randomFloats(inputs * outputs, 2)];
        const x = ops.fromData(a, [rows, inputs]);
        const weights = ops.fromData(w, [inputs, outputs]);
        const matrix = packed.pack(weights, { format });
        const y = packed.matmul(x, matrix);
        const rounded = fakeQuantize(w, { format, shape: [inputs, outputs], axis: 0 });
        const got = await ops.read(y);
        expect(y.shape).toEqual([rows, outputs]);
        let worst = 0;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < outputs; j++) {
            let [sum, size] = [0, 0];
            for (let k = 0; k < inputs; k++) {
              const term = a[i * inputs + k]! * rounded[k * outputs + j]!;
              sum += term;
              size += Math.abs(term);
            }
            worst = Math.max(worst, Math.abs(got[i * outputs + j]! - sum) / ((inputs + 2) * 2 ** -24 * size));
          }
        }
        expect(worst).toBeLessThanOrEqual(1);
        packed.dispose(matrix);
        ops.dispose([x, weights, y]);
      }
    }
  });

  it('keeps leading axes, and the NaN of a block', async () => {
    const values = randomFloats(64 * 3, 9);
    values[5 * 3 + 1] = NaN;
    const x = ops.fromData(randomFloats(2 * 3 * 64, 8), [2, 3, 64]);
    const weights = ops.fromData(values, [64, 3]);
    const matrix = packed.pack(weights, { format: formats.mxfp6_e3m2 });
    const y = packed.matmul(x, matrix);
    expect(y.shape).toEqual([2, 3, 3]);
    const got = (await ops.read(y)) as Float32Array;
    expect([...got].map((value, i) => Number.isNaN(value) === (i % 3 === 1)).every(Boolean)).toBe(true);
    const empty = ops.zeros([0, 64]);
    const none = packed.matmul(empty, matrix);
    expect(none.shape).toEqual([0, 3]);
    expect(() => packed.matmul(weights, matrix)).toThrow('takes 64 inputs');
    packed.dispose(matrix);
    ops.dispose([x, weights, y, empty, none]);
  });

  it('takes 4.25, 6.25 and 8.25 bits a weight', () => {
    const before = ops.memory().bytes;
    const weights = ops.zeros([512, 64]);
    for (const [format, bits] of [
      [formats.mxfp4_e2m1, 4.25],
      [formats.mxfp6_e3m2, 6.25],
      [formats.mxfp8_e4m3, 8.25],
    ] as const) {
      const matrix = packed.pack(weights, { format });
      expect(matrix.bytes * 8).toBe(512 * 64 * bits);
      expect(ops.memory().bytes - before).toBe(4 * 512 * 64 + matrix.bytes);
      packed.dispose(matrix);
    }
    ops.dispose(weights);
  });
});
