import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import { type Backend, createOperations, disposeState, lmd, lmdLogMedians, type OptimizerState } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { describe, expect, it } from 'vitest';
import { optimizerConformance } from '../optimizer-conformance.js';
import { contentsOf } from './run.js';

const backends: Record<string, () => Promise<Backend>> = {
  reference: async () => createReferenceBackend(),
  cpu: async () => createCpuBackend(),
  'tfjs-wasm': async () => {
    await tf.setBackend('wasm');
    return createTfjsBackend(tf);
  },
  'tfjs-cpu, by the kernels of the engine': async () => {
    await tf.setBackend('cpu');
    return createTfjsBackend(tf, { hostKernels: false });
  },
};

const cpu = await createCpuBackend();
optimizerConformance(
  { describe, it, expect },
  {
    name: 'lmd in words of 16 and 8 bits, on the cpu backend',
    create: (options) =>
      lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.02, stateFormat: 'block16', ...options }),
    createOperations: () => createOperations(cpu),
    learningRate: 0.05,
  },
);

describe('a weight of several parts', () => {
  // Two parts, the second of two blocks, the last of them short.
  const size = 2 ** 17 + 130;
  const key = { seed: 2, step: 3, sample: 0 };

  it.each([
    ['block16', 'sample', 'floor'],
    ['block16', 'none', 'hypentropy'],
    ['block8', 'none', 'floor'],
  ] as const)(
    'starts at its weights, in %s with gradients scaled by %s, from %s',
    async (stateFormat, gradientScaling, initialization) => {
      const ops = createOperations(cpu);
      const given = ops.fromData(
        Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 3),
        [size / 2, 2],
      );
      for (const priorMedian of [undefined, 'initialWeights'] as const) {
        const rule = lmd({ stateFormat, gradientScaling, initialization, ...(priorMedian && { priorMedian }) });
        const state = await rule.init(ops, { w: given });
        const { w } = rule.weights(ops, state);
        expect(w!.shape).toEqual([size / 2, 2]);
        const largest = (await ops.read(ops.max(ops.absolute(ops.subtract(w!, given)))))[0]!;
        expect(largest).toBeLessThan(priorMedian ? 1e-6 : stateFormat === 'block16' ? 1e-4 : 0.02);
        ops.dispose(w!);
        disposeState(ops, state);
      }
      ops.dispose(given);
    },
  );

  it('has the noise of its draw in its update, in every part', async () => {
    const ops = createOperations(cpu);
    // A loss of w alone: with the gradient 1/w, G⁺ + G⁻ is 1 for every coordinate, and so is the move of log m⁺ + log
    // m⁻.
    const rule = lmd({
      noise: 0.5,
      learningRate: 0.1,
      regularization: 0,
      useSign: false,
      beta1: 0,
      beta2: 0,
      stateFormat: 'block16',
    });
    const start = await rule.init(ops, { w: ops.fromData(Float32Array.from({ length: size }, (_, i) => 1 + (i % 7))) });
    const { w } = rule.draw(ops, start, key);
    const next = rule.update(ops, start, [{ key, gradients: { w: ops.divide(1, w!) } }]);
    const sum = async (state: OptimizerState) => {
      const { logPlus, logMinus } = lmdLogMedians(ops, state, 'w');
      return ops.read(ops.add(logPlus, logMinus));
    };
    const [before, after] = [await sum(start), await sum(next)];
    // A draw near 0 has a gradient so large that its block's codes are coarse: most, not all, are within a code of 0.1.
    const exact = before.filter((l, i) => Math.abs(l - after[i]! - 0.1) < 2e-3).length;
    expect(exact / size).toBeGreaterThan(0.9);
    const draws = await ops.read(w!);
    expect([...draws.subarray(0, 50)]).not.toEqual([...draws.subarray(2 ** 17, 2 ** 17 + 50)]);
  });
});

describe('states of lmd in codes', () => {
  it.each(Object.entries(backends))('are the same words on %s as on the reference backend', async (_, create) => {
    // Without noise or momentum the update is exact to a few ulp, and a code differs only where one of those decides
    // it.
    const rule = lmd({ noise: 0, beta1: 0, beta2: 0, learningRate: 0.01, stateFormat: 'block16' });
    const wordsOn = async (backend: Backend) => {
      const ops = createOperations(backend);
      const weights = ops.fromData(
        Float32Array.from({ length: 300 }, (__, i) => Math.sin(i) / 8),
        [30, 10],
      );
      const start = await rule.init(ops, { w: weights });
      const gradients = {
        w: ops.fromData(
          Float32Array.from({ length: 300 }, (__, i) => Math.cos(3 * i)),
          [30, 10],
        ),
      };
      const next = ops.scope(() => rule.update(ops, start, [{ key: { seed: 5, step: 0, sample: 0 }, gradients }]));
      return contentsOf(ops, next.tensors);
    };
    const [got, want] = [await wordsOn(await create()), await wordsOn(createReferenceBackend())];
    for (const name of ['w/logPlusScale', 'w/momentumPlusScale', 'w/logMinusScale', 'w/momentumMinusScale']) {
      expect(got[name]!.data).toEqual(want[name]!.data);
    }
    for (const name of ['w/codesPlus', 'w/codesMinus']) {
      const words = want[name]!.data;
      const differing = got[name]!.data.filter((word, i) => word !== words[i]!);
      expect(differing.length).toBeLessThan(words.length / 20);
      for (const [i, word] of got[name]!.data.entries()) {
        const medians = [word, words[i]!].map((code) => Math.floor(code / 256));
        expect(Math.abs(medians[0]! - medians[1]!)).toBeLessThanOrEqual(1);
        expect(Math.abs((word % 256) - (words[i]! % 256))).toBeLessThanOrEqual(1);
      }
    }
  });
});
