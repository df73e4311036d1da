import type { WebgpuBackend } from '@lmd/backends/webgpu';
import {
  adamw,
  createOperations,
  type EagerOperations,
  lmd,
  type NamedTensors,
  type Optimizer,
  type Tensor,
} from '@lmd/core';
import { formats, roundings, scaleModes } from '@lmd/mx-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFloats } from './random-values.js';
import { closeAll, missingWebgpu, openWebgpu } from './webgpu-engine.js';

const key = (step: number) => ({ seed: 1, stream: 2, step, sample: 0 });

/** Dispatches of `run`, by kernel. */
function dispatchesOf(backend: WebgpuBackend, run: () => void): { readonly [kernel: string]: number } {
  backend.resetStatistics();
  run();
  return backend.statistics().dispatchesByKernel;
}

/** A layer's forward and backward pass under MXFP6, by hand; autograd would be a dependency upward. Gives the loss. */
function pass(ops: EagerOperations, weights: NamedTensors, x: Tensor, labels: Tensor) {
  return ops.scope(() => {
    const quantized = (t: Tensor, axis: number) => ops.fakeQuantize(t, { format: formats.mxfp6_e3m2, axis });
    const hidden = ops.matmul(quantized(x, 1), quantized(weights.up!, 0));
    const active = ops.gelu(hidden);
    const logits = ops.matmul(quantized(active, 1), quantized(weights.down!, 0));
    const loss = ops.mean(ops.crossEntropy(logits, labels));
    const share = ops.full([x.shape[0]!], 1 / x.shape[0]!);
    const forLogits = ops.crossEntropyGradient(logits, labels, share);
    const forActive = ops.matmul(forLogits, weights.down!, { transposeB: true });
    const gradients = {
      up: ops.matmul(x, ops.geluGradient(hidden, forActive), { transposeA: true }),
      down: ops.matmul(active, forLogits, { transposeA: true }),
    };
    return { loss, gradients };
  });
}

describe.skipIf(missingWebgpu !== undefined)(`work of the WebGPU backend (${missingWebgpu ?? 'Dawn'})`, () => {
  afterAll(closeAll);

  it('fake-quantizes in one dispatch and one pipeline, whatever the format, rounding and scale mode', async () => {
    const backend = await openWebgpu();
    const ops = createOperations(backend);
    const x = ops.fromData(randomFloats(64 * 70, 1), [64, 70]);
    backend.resetStatistics();
    let calls = 0;
    for (const format of [formats.mxfp4_e2m1, formats.mxfp6_e3m2, formats.mxfp8_e5m2, formats.mxint8]) {
      for (const rounding of roundings) {
        for (const scaleMode of scaleModes) {
          ops.dispose(ops.fakeQuantize(x, { format, axis: calls % 2, rounding, scaleMode, key: key(calls) }));
          calls++;
        }
      }
    }
    const { dispatches, pipelines, uploads } = backend.statistics();
    expect({ dispatches, pipelines, uploads }).toEqual({ dispatches: calls, pipelines: 1, uploads: 0 });
  });

  it('draws a large tensor in one dispatch, and updates it in two, without a tensor of noise', async () => {
    const backend = await openWebgpu({ groupedElements: 999 });
    const ops = createOperations(backend);
    const make = (seed: number) => ops.fromData(randomFloats(1000, seed, 0.1), [10, 100]);
    const optimizer = lmd({ learningRate: 0.01, noise: 0.1 });
    const weights = { w: make(1) };
    const state = await optimizer.init(ops, weights);
    await ops.read(weights.w);
    const before = backend.statistics().reservedBytes;
    const drawn = dispatchesOf(backend, () => optimizer.draw(ops, state, key(0)));
    expect(drawn).toEqual({ lmdDraw: 1 });
    const gradients = { w: make(5) };
    const updated = dispatchesOf(backend, () =>
      optimizer.update(ops, state, [
        { key: key(0), gradients },
        { key: key(1), gradients },
      ]),
    );
    expect(updated['lmdUpdate-2']).toBe(2);
    // Beside the two halves: the step counter and the state's other scalars.
    expect(Object.keys(updated).every((kernel) => kernel === 'lmdUpdate-2' || !kernel.startsWith('lmdUpdate'))).toBe(
      true,
    );
    // One draw, one gradient, and the four tensors of the new state: 4000 bytes each, and room for scalars. No noise.
    expect(backend.statistics().reservedBytes - before).toBeLessThan(6 * 4096 + 8 * 256);
  });

  const rules: readonly (readonly [string, Optimizer])[] = [
    ['lmd', lmd({ learningRate: 0.01 })],
    ['adamw', adamw({ learningRate: 0.01 })],
  ];

  it.each(rules)(
    'a training step with %s reads nothing but the loss, and compiles nothing after the first',
    async (name, optimizer) => {
      const backend = await openWebgpu();
      const ops = createOperations(backend);
      const initial = {
        up: ops.fromData(randomFloats(32 * 48, 1, 0.2), [32, 48]),
        down: ops.fromData(randomFloats(48 * 10, 2, 0.2), [48, 10]),
      };
      let state = await optimizer.init(ops, initial);
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) {
        // The schedule moves the learning rate in each step, as in a real run.
        const x = ops.fromData(randomFloats(16 * 32, step), [16, 32]);
        const labels = ops.fromData(Int32Array.from({ length: 16 }, (_, i) => i % 10));
        backend.resetStatistics();
        const weights = optimizer.draw(ops, state, key(step));
        const { loss, gradients } = pass(ops, weights, x, labels);
        const next = optimizer.update(ops, state, [{ key: key(step), gradients }]);
        losses.push((await ops.read(loss))[0]!);
        ops.dispose([loss, x, labels, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
        state = next;
        const { uploads, readbacks, readBytes, pipelines, dispatchesByKernel, submissions } = backend.statistics();
        expect({ readbacks, readBytes }).toEqual({ readbacks: 1, readBytes: 4 });
        // The first step says once which tensors go together.
        if (step === 0) expect(uploads).toBe(1);
        else expect({ uploads, submissions, pipelines }).toEqual({ uploads: 0, submissions: 1, pipelines: 0 });
        expect(dispatchesByKernel['fakeQuantize-e8m0']).toBe(4);
        if (name === 'lmd') {
          expect(dispatchesByKernel['lmdDraw-grouped']).toBe(1);
          expect(dispatchesByKernel['lmdUpdate-grouped']).toBe(1);
        } else expect(dispatchesByKernel['adamwUpdate-grouped']).toBe(1);
      }
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(losses[0]! + 1);
    },
  );

  it('uses the same device memory in every equal step', async () => {
    const backend = await openWebgpu();
    const ops = createOperations(backend);
    const reserved: number[] = [];
    for (let step = 0; step < 20; step++) {
      const y = ops.scope(() => {
        const x = ops.randomNormal([100, 100], key(step));
        return ops.sum(ops.matmul(x, ops.gelu(x)));
      });
      await ops.read(y);
      ops.dispose(y);
      reserved.push(backend.statistics().reservedBytes);
    }
    expect(new Set(reserved.slice(2)).size).toBe(1);
  });
});
