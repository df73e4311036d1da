import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import { type Backend, createOperations, lmd } from '@lmd/core';
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
    create: (options) => lmd({ regularization: 0.05, noise: 0.02, stateFormat: 'block16', ...options }),
    createOperations: () => createOperations(cpu),
    learningRate: 0.05,
    steps: 200,
  },
);

describe('states of lmd in codes', () => {
  it.each(Object.entries(backends))('are the same words on %s as on the reference backend', async (_, create) => {
    // Without noise or momentum the update is exact to a few ulp, and a code differs only where one of those decides it.
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
