import { createReferenceBackend } from '@lmd/backends/reference';
import { createPackedMatmul } from '@lmd/backends/webgpu';
import { createOperations, type EagerOperations, type Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFloats, worstError } from './random-values.js';
import { closeAll, missingWebgpu, openDevice, openWebgpu } from './webgpu-engine.js';

const key = { seed: 1, stream: 2, step: 3, sample: 4 };

/** What a large embedding goes through, and more: each with tensors of several buffers. */
const programs: { readonly [name: string]: (ops: EagerOperations) => Tensor[] } = {
  'elementwise functions, and broadcasting': (ops) => {
    const x = ops.fromData(randomFloats(700, 1), [20, 35]);
    return [ops.exp(x), ops.add(x, x), ops.multiply(x, 2), ops.add(x, ops.fromData(randomFloats(35, 2)))];
  },
  'transposing, slicing and joining': (ops) => {
    const x = ops.fromData(randomFloats(600, 1), [20, 30]);
    return [ops.transpose(x), ops.slice(x, [3, 2], [10, 20]), ops.concatenate([x, x], 0), ops.pad(x, [1, 0], [0, 2])];
  },
  reductions: (ops) => {
    const x = ops.fromData(randomFloats(700, 1), [7, 100]);
    return [ops.sum(x), ops.sum(x, { axes: 1 }), ops.max(x, { axes: 0 }), ops.argMax(x)];
  },
  'an embedding: gather, scatterAdd, and the product with its transpose': (ops) => {
    const table = ops.fromData(randomFloats(50 * 12, 1), [50, 12]);
    const tokens = ops.fromData(Int32Array.of(3, 49, 3, 0, 21, 30));
    const rows = ops.gather(table, tokens);
    return [rows, ops.scatterAdd(tokens, rows, 50), ops.matmul(rows, table, { transposeB: true })];
  },
  'softmax, layer norm, GELU and cross-entropy': (ops) => {
    const x = ops.fromData(randomFloats(4 * 150, 1), [4, 150]);
    const gain = ops.fromData(randomFloats(150, 2));
    const labels = ops.fromData(Int32Array.of(0, 149, 70, 3));
    return [ops.softmax(x), ops.layerNorm(x, gain, gain), ops.gelu(x), ops.crossEntropy(x, labels)];
  },
  'random numbers, and formats with random rounding': (ops) => {
    const x = ops.fromData(randomFloats(700, 1), [10, 70]);
    const options = { format: formats.mxfp6_e3m2, rounding: 'stochastic', key } as const;
    return [
      ops.randomNormal([701], key),
      ops.randomBits([701], key),
      ops.fakeQuantize(x, { ...options, axis: 1 }),
      ops.fakeQuantize(x, { ...options, axis: 0 }),
      ops.roundToBfloat16(x),
    ];
  },
  'draws and updates': (ops) => {
    const [a, b, c, d, g, h] = [1, 2, 3, 4, 5, 6].map((seed) => ops.fromData(randomFloats(701, seed, 0.5)));
    const prior = ops.fromData(Float32Array.of(-1), []);
    const options = {
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      regularization: 0.3,
      regularizer: 'logNormalPrior',
      noise: 0.2,
      gradientScaling: 'sample',
      useSign: false,
    } as const;
    const state = { logPlus: a!, logMinus: b!, momentumPlus: c!, momentumMinus: d! };
    const other = { ...key, sample: 5 };
    const keys = [key, other, { ...key, step: 9 }, { ...key, step: 10 }, { ...key, step: 11 }];
    return [
      ops.lmdDraw(a!, b!, 0.2, key),
      ...Object.values(ops.lmdUpdate(state, [g!, h!], [key, other], prior, options)),
      ...Object.values(ops.lmdUpdate(state, [g!, h!, a!, b!, c!], keys, prior, options)),
      ...Object.values(
        ops.adamwUpdate({ weights: a!, firstMoment: b!, secondMoment: ops.absolute(c!) }, g!, {
          learningRate: 0.1,
          beta1: 0.9,
          beta2: 0.99,
          epsilon: 1e-3,
          weightDecay: 0.1,
          step: 3,
        }),
      ),
    ];
  },
};

async function valuesOf(ops: EagerOperations, program: (ops: EagerOperations) => Tensor[]) {
  const results = ops.scope(() => program(ops));
  const values = await Promise.all(results.map((x) => ops.read(x)));
  ops.dispose(results);
  return values;
}

describe.skipIf(missingWebgpu !== undefined)(`large tensors on WebGPU (${missingWebgpu ?? 'Dawn'})`, () => {
  afterAll(closeAll);

  it.each(Object.entries(programs))('%s, in buffers of 256 words', async (_name, program) => {
    const backend = await openWebgpu({ maxBindingBytes: 1024 });
    const got = await valuesOf(createOperations(backend), program);
    const want = await valuesOf(createOperations(createReferenceBackend()), program);
    for (const [i, values] of got.entries()) expect(worstError(values, want[i]!)).toBeLessThan(3e-6);
    expect(backend.memory().tensors).toBe(0);
  });

  it.each(Object.entries(programs))('%s, in 3 workgroups a dimension', async (_name, program) => {
    const device = await openDevice({ maxComputeWorkgroupsPerDimension: 3 });
    const backend = await openWebgpu({ device });
    const got = await valuesOf(createOperations(backend), program);
    const want = await valuesOf(createOperations(createReferenceBackend()), program);
    for (const [i, values] of got.entries()) expect(worstError(values, want[i]!)).toBeLessThan(3e-6);
  });

  it('packed products in small buffers', async () => {
    const ops = createOperations(await openWebgpu({ maxBindingBytes: 1024 }));
    const packed = createPackedMatmul(ops);
    const weights = ops.fromData(randomFloats(64 * 20, 1), [64, 20]);
    const matrix = packed.pack(weights, { format: formats.mxfp8_e4m3 });
    expect(matrix.bytes).toBeGreaterThan(1024);
    const x = ops.fromData(randomFloats(5 * 64, 2), [5, 64]);
    const rounded = ops.fakeQuantize(weights, { format: formats.mxfp8_e4m3, axis: 0 });
    const [got, want] = await Promise.all([packed.matmul(x, matrix), ops.matmul(x, rounded)].map((y) => ops.read(y)));
    expect(worstError(got!, want!)).toBeLessThan(1e-5);
  });

  it('a tensor beyond one buffer and beyond 65,535 workgroups', async () => {
    // 17,000,000 elements: 66,407 workgroups of 256, and two buffers of 64 MiB.
    const backend = await openWebgpu({ maxBindingBytes: 2 ** 26 });
    const ops = createOperations(backend);
    const x = ops.full([17_000_000], 0.5);
    const y = ops.multiply(x, 4);
    const last = ops.slice(y, [16_999_990], [10]);
    expect([...(await ops.read(last))]).toEqual(new Array(10).fill(2));
    const total = ops.sum(y);
    expect((await ops.read(total))[0]).toBe(34_000_000);
    ops.dispose([x, y, last, total]);
  });
});
