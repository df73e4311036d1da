import { createReferenceBackend } from '@lmd/backends/reference';
import { createPackedMatmul, createWebgpuBackend } from '@lmd/backends/webgpu';
import { createOperations, type ErrorCode, isLmdError, type LmdError } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { closeAll, missingWebgpu, openDevice, openWebgpu } from './webgpu-engine.js';

afterAll(closeAll);

async function failure(run: () => unknown): Promise<LmdError> {
  try {
    await run();
  } catch (error) {
    if (isLmdError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function expectFailure(run: () => unknown, code: ErrorCode, ...words: string[]): Promise<void> {
  const error = await failure(run);
  expect(error.code).toBe(code);
  for (const word of words) expect(error.message).toContain(word);
}

describe('a WebGPU backend that cannot be made', () => {
  it('says so where there is no adapter', async () => {
    const gpu = { requestAdapter: async () => null };
    await expectFailure(() => createWebgpuBackend({ gpu }), 'ENGINE_MISSING', 'no adapter', "Install the GPU's driver");
  });

  it('says so where neither a browser nor the package webgpu has it', async () => {
    vi.doMock('webgpu', () => {
      throw new Error('no such package');
    });
    try {
      await expectFailure(
        () => createWebgpuBackend(),
        'ENGINE_MISSING',
        'The package webgpu could not be loaded',
        'npm install webgpu',
        '@lmd/backends/cpu',
      );
    } finally {
      vi.doUnmock('webgpu');
    }
  });

  it('says so where looking for an adapter fails', async () => {
    const gpu = {
      requestAdapter: async () => {
        throw new Error('driver on fire');
      },
    };
    await expectFailure(() => createWebgpuBackend({ gpu }), 'ENGINE_MISSING', 'driver on fire');
  });

  it('says so where the adapter refuses a device', async () => {
    const adapter = { limits: {}, requestDevice: () => Promise.reject(new Error('no more devices')) };
    await expectFailure(
      () => createWebgpuBackend({ gpu: { requestAdapter: async () => adapter } }),
      'ENGINE_MISSING',
      'no more devices',
    );
  });

  it('names the limit that is too small', async () => {
    const limits = {
      maxStorageBuffersPerShaderStage: 4,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
    };
    const device = { limits, createBuffer: () => ({}) };
    const error = await failure(() => createWebgpuBackend({ device }));
    expect([error.code, error.subject, error.value]).toEqual(['UNSUPPORTED', 'maxStorageBuffersPerShaderStage', 4]);
    expect(error.remedy).toContain('requiredLimits');
  });

  it('wants TensorFlow.js to be on WebGPU', async () => {
    await tf.setBackend('cpu');
    await expectFailure(
      () => createWebgpuBackend({ tf }),
      'ENGINE_MISSING',
      'npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu',
    );
  });

  it('refuses options that it does not know, or that do not fit', async () => {
    await expectFailure(() => createWebgpuBackend({ adaptor: 1 } as object), 'UNKNOWN_OPTION', 'adaptor', 'gpu');
    for (const wrong of [
      { gpu: {} },
      { device: {} },
      { powerPreference: 'fast' },
      { memoryLimit: 0 },
      { maxBindingBytes: 100 },
      { gpu: { requestAdapter: async () => null }, device: { createBuffer: () => ({}) } },
    ]) {
      await expectFailure(() => createWebgpuBackend(wrong as object), 'INVALID_ARGUMENT', Object.keys(wrong).at(-1)!);
    }
  });
});

describe.skipIf(missingWebgpu !== undefined)(`a WebGPU backend in trouble (${missingWebgpu ?? 'Dawn'})`, () => {
  it('refuses tensors of another backend, and freed ones', async () => {
    const backend = await openWebgpu();
    const foreign = createReferenceBackend().full([2], 1, 'f32');
    await expectFailure(() => backend.exp(foreign), 'INVALID_ARGUMENT', 'not created by this WebGPU backend');
    await expectFailure(async () => backend.read(foreign), 'INVALID_ARGUMENT');
    const other = await openWebgpu();
    const elsewhere = other.full([2], 1, 'f32');
    await expectFailure(() => backend.add(elsewhere, elsewhere), 'INVALID_ARGUMENT', 'fromData');
    other.dispose(elsewhere);
    await expectFailure(() => other.exp(elsewhere), 'TENSOR_DISPOSED', '[2]');
    await expectFailure(() => other.dispose(elsewhere), 'TENSOR_DISPOSED');
    expect([backend.memory().tensors, other.memory().tensors]).toEqual([0, 0]);
  });

  it('refuses more memory than it was given, changes nothing, and goes on', async () => {
    const backend = await openWebgpu({ memoryLimit: 2 ** 20 });
    const x = backend.full([50_000], 2, 'f32');
    const before = backend.memory();
    await expectFailure(() => backend.full([300_000], 1, 'f32'), 'BACKEND_FAILURE', 'memoryLimit');
    expect(backend.memory()).toEqual(before);
    for (let i = 0; i < 20; i++) backend.dispose(backend.full([100_000 + 4096 * i], 1, 'f32'));
    expect((await backend.read(x))[49_999]).toBe(2);
  });

  it('reports what goes wrong on the device by the next read', async () => {
    const device = await openDevice();
    const backend = await openWebgpu({ device });
    const x = backend.full([2], 1, 'f32');
    // Usage flags that exclude each other: the device reports it later, to nobody in particular.
    device.createBuffer({ size: 16, usage: 1 | 2 });
    await expectFailure(() => backend.read(x), 'BACKEND_FAILURE', 'createWebgpuBackend');
    await expectFailure(() => backend.exp(x), 'BACKEND_FAILURE');
  });

  it('says that the device is out of memory where it is', async (test) => {
    const backend = await openWebgpu();
    const small = backend.full([3], 1, 'f32');
    // SwiftShader refuses a buffer of 1 GiB, which its limits allow, without filling any memory. Dawn reports it at
    // once, browsers by the next read.
    const error = await (async () => backend.read(backend.full([2 ** 28], 1, 'f32')))().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) test.skip(`${backend.device} has 1 GiB to give`);
    expect(error).toMatchObject({ code: 'BACKEND_FAILURE', subject: 'memory' });
    await expectFailure(() => backend.exp(small), 'BACKEND_FAILURE', 'out of memory', 'smaller batch', 'checkpoint');
    backend.dispose(small);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    const next = await openWebgpu();
    expect(await next.read(next.full([1], 3, 'f32'))).toEqual(Float32Array.of(3));
  });

  it('leaves no tensor behind where an operation fails', async () => {
    const device = await openDevice();
    const backend = await openWebgpu({ device });
    const ops = createOperations(backend);
    const x = ops.zeros([4, 6]);
    const [gain, prior] = [ops.zeros([6]), ops.full([], 0)];
    const state = { logPlus: x, logMinus: x, momentumPlus: x, momentumMinus: x };
    const key = { seed: 1, stream: 1, step: 1, sample: 1 };
    const options = {
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      regularization: 0.1,
      regularizer: 'powerPrior',
      noise: 0.1,
      useSign: true,
    } as const;
    const gradients = [x, x, x, x, x];
    const keys = gradients.map((_, sample) => ({ ...key, sample }));
    const before = backend.memory();
    // Every dispatch fails from here on, but memory is still there to be asked for.
    device.createShaderModule = () => {
      throw new Error('no compiler');
    };
    for (const run of [
      () => ops.exp(x),
      () => ops.layerNormGradient(x, gain, x),
      () =>
        ops.adamwUpdate({ weights: x, firstMoment: x, secondMoment: x }, x, {
          learningRate: 0.1,
          beta1: 0.9,
          beta2: 0.99,
          epsilon: 1e-8,
          weightDecay: 0,
          step: 1,
        }),
      () => ops.lmdUpdate(state, gradients, keys, prior, { ...options, gradientScaling: 'sample' }),
      () => ops.lmdUpdate(state, [x], [key], prior, { ...options, gradientScaling: 'sample' }),
      () =>
        ops.lmdUpdate({ logPlus: x, logMinus: x, momentumPlus: x }, gradients, keys, prior, {
          ...options,
          gradientScaling: 'none',
        }),
      () => ops.scatterAdd(ops.fromData(Int32Array.of(0, 1, 2, 3)), x, 4),
      () =>
        ops.attentionGradient(
          ...([1, 2, 3, 4].map(() => ops.reshape(x, [1, 1, 4, 6])) as [never, never, never, never]),
        ),
    ]) {
      expect(() => ops.scope(() => void run())).toThrow('no compiler');
      expect(backend.memory()).toEqual(before);
    }
  });

  it('fails every use after the device is lost, reads under way included, and says how to go on', async () => {
    const device = await openDevice();
    const backend = await openWebgpu({ device });
    const x = backend.full([1000], 1, 'f32');
    const reading = failure(() => backend.read(backend.exp(x)));
    device.destroy();
    expect((await reading).code).toBe('BACKEND_FAILURE');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectFailure(() => backend.exp(x), 'BACKEND_FAILURE', 'lost', 'resume from the last checkpoint');
    await expectFailure(async () => backend.read(x), 'BACKEND_FAILURE', 'lost');
    // Freeing is not refused: scopes end as ever.
    backend.dispose(x);
    // Another device of the same process is none the worse.
    const next = await openWebgpu();
    expect(await next.read(next.full([1], 3, 'f32'))).toEqual(Float32Array.of(3));
  });

  it('is of no use after it was closed', async () => {
    const backend = await openWebgpu();
    backend.close();
    backend.close();
    await expectFailure(() => backend.full([1], 1, 'f32'), 'BACKEND_FAILURE', 'closed');
  });

  it('shares tensors with TensorFlow.js on a common device only', async () => {
    const backend = await openWebgpu();
    const x = backend.full([1], 1, 'f32');
    await expectFailure(() => backend.toTfjs(x), 'UNSUPPORTED', 'createWebgpuBackend({ tf })');
  });

  it('names formats and sizes that it does not know', async () => {
    const backend = await openWebgpu({ maxBindingBytes: 1024 });
    const ops = createOperations(backend);
    const x = ops.zeros([4, 64]);
    const { element } = formats.mxfp4_e2m1;
    const powers = { ...formats.mxfp4_e2m1, name: 'e3m0', element: { ...element, exponentBits: 3, mantissaBits: 0 } };
    await expectFailure(() => ops.fakeQuantize(x, { format: powers, axis: 1 }), 'UNSUPPORTED', 'e3m0');
    await expectFailure(() => ops.encodeOperand(x, { format: powers, axis: 1 }), 'UNSUPPORTED', 'e3m0');
    const packed = createPackedMatmul(ops);
    await expectFailure(() => packed.pack(x, { format: formats.nvfp4 }), 'UNSUPPORTED', 'nvfp4');
    await expectFailure(
      () => packed.pack(x, { format: formats.mxfp4_e2m1, along: 1 } as never),
      'UNKNOWN_OPTION',
      'along',
    );
    await expectFailure(
      () => packed.pack(x, { format: formats.mxfp4_e2m1, rounding: 'stochastic' }),
      'INVALID_ARGUMENT',
      'key',
    );
    await expectFailure(() => ops.zeros([1024 * 1024]), 'UNSUPPORTED', 'at most');
    // Each is small enough, but a product would bind all the buffers of three.
    const wide = ops.zeros([2, 700]);
    await expectFailure(
      () => ops.matmul(wide, wide, { transposeB: true }),
      'UNSUPPORTED',
      'maxStorageBufferBindingSize',
    );
    ops.dispose([x, wide]);
    expect(backend.memory().tensors).toBe(0);
    const other = createOperations(createReferenceBackend());
    await expectFailure(() => createPackedMatmul(other), 'INVALID_ARGUMENT', 'reference');
  });
});
