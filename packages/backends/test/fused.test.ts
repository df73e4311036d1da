import { createReferenceBackend, type ReferenceBackend } from '@lmd/backends/reference';
import {
  compositions,
  createOperations,
  type EagerOperations,
  type FusedKernelName,
  type FusedKernels,
  type LmdUpdateOptions,
  type RandomKey,
  type Tensor,
} from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from './engines.js';
import { randomFloats, worstError, worstUlps } from './random-values.js';

const oracle: ReferenceBackend = createReferenceBackend({ storage: 'f64' });
const exact = createOperations(oracle);
const key: RandomKey = { seed: 9, stream: 8, step: 7, sample: 6 };

type Argument = Float32Array | Int32Array | { readonly data: Float32Array; readonly shape: readonly number[] };
type Tensors = Tensor | readonly Tensor[] | { readonly [name: string]: Tensor };

/** Fused kernels against core's compositions, computed in float64. */
describe.each(variants.filter(({ label }) => !label.includes('without')))('fused kernels of $label', ({ create }) => {
  let ops: EagerOperations;
  beforeAll(async () => {
    ops = createOperations(await create());
  });

  /**
   * Results by name of the kernel and of the composition; fails where the kernel is not the backend's own, or leaks.
   */
  async function compare<Name extends FusedKernelName>(
    name: Name,
    tensors: readonly Argument[],
    call: (...xs: Tensor<never>[]) => Parameters<FusedKernels[Name]>,
  ): Promise<{ actual: Float32Array; expected: Float64Array; name: string }[]> {
    expect(ops.backend.fused).toHaveProperty(name);
    const before = ops.memory();
    const make = (on: EagerOperations) =>
      tensors.map((x) => ('data' in x ? on.fromData(x.data, x.shape) : on.fromData(x)));
    const inputs = make(ops);
    const result = (ops.backend.fused[name] as (...args: unknown[]) => Tensors)(
      ...call(...(inputs as Tensor<never>[])),
    );
    const oracleInputs = make(exact);
    const wanted = (compositions[name] as (on: EagerOperations, ...args: unknown[]) => Tensors)(
      exact,
      ...call(...(oracleInputs as Tensor<never>[])),
    );
    const byName = (x: Tensors): [string, Tensor][] =>
      'dtype' in x && 'shape' in x ? [['', x as Tensor]] : Object.entries(x as { [name: string]: Tensor });
    const results = await Promise.all(
      byName(result).map(async ([part, tensor], i) => {
        const [wantedPart, wantedTensor] = byName(wanted)[i]!;
        expect([part, tensor.shape, tensor.dtype]).toEqual([wantedPart, wantedTensor.shape, wantedTensor.dtype]);
        const actual = (await ops.backend.read(tensor)) as Float32Array;
        return { name: part, actual, expected: oracle.readFloat64(wantedTensor) };
      }),
    );
    for (const [, tensor] of byName(result)) ops.backend.dispose(tensor);
    ops.dispose(inputs);
    expect(ops.memory().tensors).toBe(before.tensors);
    expect(ops.backend.memory().tensors).toBe(before.tensors);
    return results;
  }

  async function expectClose<Name extends FusedKernelName>(
    name: Name,
    tensors: readonly Argument[],
    call: (...xs: Tensor<never>[]) => Parameters<FusedKernels[Name]>,
    bound = 4e-7,
  ) {
    for (const { actual, expected } of await compare(name, tensors, call)) {
      expect(worstError(actual, expected)).toBeLessThanOrEqual(bound);
    }
  }

  const matrix = (rows: number, columns: number, seed: number, scale?: number) => ({
    data: randomFloats(rows * columns, seed, scale),
    shape: [rows, columns],
  });

  it('softmax and its gradient', async () => {
    for (const [rows, columns] of [
      [7, 50],
      [3, 1],
      [1, 1000],
      [0, 5],
    ] as const) {
      await expectClose('softmax', [matrix(rows, columns, 1, 9)], (x) => [x!]);
      const tensors = [matrix(rows, columns, 2, 1), matrix(rows, columns, 3)];
      await expectClose('softmaxGradient', tensors, (y, dy) => [y!, dy!], 1e-6 * (1 + columns / 50));
    }
    const hard = { data: Float32Array.of(1e4, -1e4, 0, -Infinity, 1, 2, Number.NaN, 1, 2), shape: [3, 3] };
    await expectClose('softmax', [hard], (x) => [x!]);
  });

  it.each([false, true])('attention and its gradient, causal: %s', async (causal) => {
    const tensor = (shape: readonly number[], seed: number) => ({
      data: randomFloats(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
      shape,
    });
    for (const [batch, heads, queries, keys, width, valueWidth] of [
      [2, 3, 5, 5, 4, 4],
      [1, 2, 4, 7, 3, 5],
      [1, 1, 1, 1, 1, 1],
      [0, 2, 3, 3, 2, 2],
    ] as const) {
      const inputs = [
        tensor([batch, heads, queries, width], 41),
        tensor([batch, heads, keys, width], 42),
        tensor([batch, heads, keys, valueWidth], 43),
      ];
      const options = { scale: 0.5, causal };
      await expectClose('attention', inputs, (q, k, v) => [q!, k!, v!, options]);
      const upstream = tensor([batch, heads, queries, valueWidth], 44);
      await expectClose('attentionGradient', [...inputs, upstream], (q, k, v, dy) => [q!, k!, v!, dy!, options], 1e-6);
    }
  });

  it('layer norm and its gradient', async () => {
    for (const [rows, columns] of [
      [9, 64],
      [5, 3],
      [4, 1],
      [0, 8],
    ] as const) {
      const tensors = [matrix(rows, columns, 4, 5), randomFloats(columns, 5), randomFloats(columns, 6)];
      await expectClose('layerNorm', tensors, (x, gain, bias) => [x!, gain!, bias!, 1e-5]);
      const upstream = [tensors[0]!, tensors[1]!, matrix(rows, columns, 7)];
      await expectClose(
        'layerNormGradient',
        upstream,
        (x, gain, dy) => [x!, gain!, dy!, 1e-5],
        columns === 1 ? 1e-4 : 2e-6,
      );
    }
  });

  it.each(['none', 'tanh'] as const)('GELU (%s) and its gradient, tails included', async (approximation) => {
    const x = Float32Array.of(0, -0, 30, -30, 1e20, -1e20, Number.NaN, ...randomFloats(5000, 8, 8));
    // Φ is right to 1e-7 of 1, also where it is almost 0, and x multiplies that.
    await expectClose('gelu', [x], (y) => [y!, approximation], 8e-7);
    await expectClose('geluGradient', [x, randomFloats(x.length, 9)], (y, dy) => [y!, dy!, approximation], 4e-7);
  });

  it('cross-entropy and its gradient, wrong labels included', async () => {
    const logits = matrix(6, 10, 10, 12);
    const labels = Int32Array.of(0, 9, 4, 10, -1, 3);
    await expectClose('crossEntropy', [logits, labels], (x, y) => [x!, y!]);
    await expectClose('crossEntropyGradient', [logits, labels, randomFloats(6, 11)], (x, y, dy) => [x!, y!, dy!]);
  });

  it('fake quantization and BF16 rounding, to the bit', async () => {
    const x = matrix(5, 70, 12, 3);
    for (const format of Object.values(formats).filter(({ scale }) => scale === 'e8m0')) {
      for (const axis of [0, 1]) {
        const options = { format, axis, rounding: 'nearestEven', scaleMode: 'floor' } as const;
        const results = await compare('fakeQuantize', [x], (y) => [y!, options]);
        for (const { actual, expected } of results) expect(worstUlps(actual, expected)).toBe(0);
      }
    }
    for (const { actual, expected } of await compare('roundToBfloat16', [x], (y) => [y!])) {
      expect(worstUlps(actual, expected)).toBe(0);
    }
  });

  it.each([1, 3, 1024, 2051])('LMD draws %i weights', async (size) => {
    const tensors = [randomFloats(size, 13), randomFloats(size, 14)];
    await expectClose('lmdDraw', tensors, (plus, minus) => [plus!, minus!, 0.2, key], 1e-6);
    await expectClose('lmdDraw', tensors, (plus, minus) => [plus!, minus!, 0, key], 1e-6);
  });

  const base: LmdUpdateOptions = {
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.99,
    regularization: 0.3,
    regularizer: 'logNormalPrior',
    noise: 0.1,
    gradientScaling: 'sample',
    useSign: true,
  };
  const updates: readonly Partial<LmdUpdateOptions>[] = [
    {},
    { regularizer: 'powerPrior', useSign: false },
    { regularizer: 'exponentialPrior', gradientScaling: 'none' },
    { regularizer: 'halfNormalPrior', noise: 0 },
    { gradientScaling: 'none', useSign: false },
  ];
  it.each(updates)('LMD updates with %o', async (changed) => {
    const options = { ...base, ...changed };
    const size = 1500;
    const keys = [key, { ...key, sample: 7 }];
    const tensors = Array.from({ length: 6 }, (_, i) => randomFloats(size, 20 + i));
    // Without a gradient and a momentum, the sign is 0 and the regulariser alone moves a weight.
    for (const x of tensors.slice(2)) x[5] = 0;
    await expectClose(
      'lmdUpdate',
      [...tensors, { data: Float32Array.of(-0.5), shape: [] }],
      (logPlus, logMinus, momentumPlus, momentumMinus, first, second, prior) => [
        {
          logPlus: logPlus!,
          logMinus: logMinus!,
          momentumPlus: momentumPlus!,
          ...(options.gradientScaling === 'sample' ? { momentumMinus: momentumMinus! } : {}),
        },
        [first!, second!],
        keys,
        prior!,
        options,
      ],
    );
  });

  it('AdamW', async () => {
    const tensors = Array.from({ length: 4 }, (_, i) => randomFloats(777, 30 + i));
    const [weights, first, second, gradient] = tensors as [Float32Array, Float32Array, Float32Array, Float32Array];
    const options = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 3 };
    await expectClose('adamwUpdate', [weights, first, second.map(Math.abs), gradient], (w, m, v, g) => [
      { weights: w!, firstMoment: m!, secondMoment: v! },
      g!,
      options,
    ]);
  });
});
