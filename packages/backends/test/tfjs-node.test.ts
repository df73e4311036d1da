import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import { createTfjsNodeBackend, loadTfjsNode, probeTfjsNode, type TfjsNodeModule } from '@lmd/backends/tfjs-node';
import { createOperations, type FloatTensor, isLmdError } from '@lmd/core';
import { fakeQuantize, formats } from '@lmd/mx-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineFolder, loadEngine } from './tfjs-node-engine.js';

function errorOf(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not throw.');
}

describe('without an engine', () => {
  it('says how to install one, or to build it', async () => {
    const error = await loadTfjsNode('/nowhere/tfjs-node').catch((thrown: unknown) => thrown);
    expect(isLmdError(error, 'ENGINE_MISSING')).toBe(true);
    expect((error as Error).message).toContain('npm install @tensorflow/tfjs-node');
    expect((error as Error).message).toContain('dev/engines/libtensorflow');
  });

  it('probes it without throwing', async () => {
    const probe = await probeTfjsNode('/nowhere/tfjs-node-gpu');
    expect(probe).toMatchObject({ name: 'tfjs-node-gpu', loads: false });
    expect(probe.reason).toContain('npm install @tensorflow/tfjs-node-gpu');
    expect(await probeTfjsNode('/nowhere')).toMatchObject({ name: 'tfjs-node', loads: false });
  });

  it.each([
    ['no module', undefined],
    ['another module', {}],
    ['a TensorFlow.js without it', { findBackend: () => null }],
    ['another backend of that name', { version_core: '5.0.0', findBackend: () => ({ binding: {} }) }],
  ] as readonly (readonly [string, unknown])[])('refuses %s', (_, module) => {
    const error = errorOf(() => createTfjsNodeBackend(module as TfjsNodeModule));
    expect(isLmdError(error, 'ENGINE_MISSING')).toBe(true);
    expect(error.message).toContain('loadTfjsNode');
  });

  it('refuses unknown options and values', () => {
    const create = (options: object) => errorOf(() => createTfjsNodeBackend({} as TfjsNodeModule, options));
    expect(isLmdError(create({ gpu: true }), 'UNKNOWN_OPTION')).toBe(true);
    expect(isLmdError(create({ hostKernels: 1 }), 'INVALID_ARGUMENT')).toBe(true);
    expect(isLmdError(create({ cpu: {} }), 'INVALID_ARGUMENT')).toBe(true);
    expect(isLmdError(create({ cpu: { readSync() {} }, hostKernels: false }), 'INVALID_ARGUMENT')).toBe(true);
  });
});

if (engineFolder === undefined) {
  it.skip('on an engine: LMD_TFJS_NODE names none; node scripts/native-tests.mjs builds one and runs these tests', () => {});
} else {
  const folder: string = engineFolder;
  describe('on an engine', () => {
    let tf: TfjsNodeModule;
    beforeAll(async () => {
      tf = await loadEngine();
    });
    const tensors = () => (tf.findBackend('tensorflow') as { binding: { getNumOfTensors(): number } }).binding;

    it('says what runs it', async () => {
      const backend = createTfjsNodeBackend(tf);
      expect(backend.name).toBe('tfjs-node');
      expect(backend.device).toMatch(
        /^TensorFlow 2\.\d+\.\d+ on the CPU, through tfjs-node 4\.\d+\.\d+ \(host kernels\)$/,
      );
      expect(createTfjsNodeBackend(tf, { hostKernels: false }).device).not.toContain('host');
      expect(await probeTfjsNode(engineFolder)).toEqual({
        name: 'tfjs-node',
        loads: true,
        version: expect.stringMatching(/^4\./),
        tensorflow: expect.stringMatching(/^2\./),
        gpu: false,
      });
    });

    it('loads by a relative path and by a URL', async () => {
      for (const path of [relative(process.cwd(), folder), pathToFileURL(folder).href]) {
        expect((await probeTfjsNode(path)).reason).toBe(undefined);
      }
    });

    it('serves the adapter of TensorFlow.js, where it is the current backend', async () => {
      expect(createTfjsBackend(tf as never).name).toBe('tfjs-node');
    });

    it('refuses a tensor of another backend, and one that was disposed of', () => {
      const [one, other] = [createTfjsNodeBackend(tf), createTfjsNodeBackend(tf)];
      const x = one.full([2], 1, 'f32');
      expect(
        isLmdError(
          errorOf(() => other.exp(x)),
          'INVALID_ARGUMENT',
        ),
      ).toBe(true);
      one.dispose(x);
      expect(
        isLmdError(
          errorOf(() => one.exp(x)),
          'TENSOR_DISPOSED',
        ),
      ).toBe(true);
      const ops = createOperations(one);
      const y = ops.fromData([1, 2]);
      ops.dispose(y);
      expect(
        isLmdError(
          errorOf(() => ops.exp(y)),
          'TENSOR_DISPOSED',
        ),
      ).toBe(true);
    });

    it('reports what TensorFlow refuses, frees what it had made, and still works', async () => {
      const backend = createTfjsNodeBackend(tf);
      const [a, b] = [backend.full([1, 2, 3], 1, 'f32'), backend.full([1, 2, 3], 1, 'f32')];
      const before = tensors().getNumOfTensors();
      const error = errorOf(() => backend.matmul(a, b, false, false));
      expect(isLmdError(error, 'BACKEND_FAILURE')).toBe(true);
      expect(error.message).toContain('BatchMatMulV2');
      expect(tensors().getNumOfTensors()).toBe(before);
      expect(await backend.read(backend.matmul(a, b, false, true))).toEqual(Float32Array.of(3, 3, 3, 3));
    });

    it('reports memory that is full', () => {
      const backend = createTfjsNodeBackend(tf);
      const error = errorOf(() => backend.full([2 ** 20, 2 ** 20, 2 ** 10], 1, 'f32'));
      expect(isLmdError(error, 'BACKEND_FAILURE')).toBe(true);
      expect(error.message).toContain('use a smaller batch or model');
    });

    it.each([true, false])('gives everything back to TensorFlow, with host kernels: %s', async (hostKernels) => {
      const ops = createOperations(createTfjsNodeBackend(tf, { hostKernels }));
      const key = { seed: 1, stream: 2, step: 3, sample: 4 };
      const step = () =>
        ops.scope(() => {
          const x = ops.randomNormal([3, 40], key);
          const y = ops.fakeQuantize(x, { format: formats.mxfp6_e3m2, axis: 1, rounding: 'stochastic', key });
          const logits = ops.matmul(y, x, { transposeB: true });
          const labels = ops.fromData(Int32Array.of(0, 1, 7));
          ops.crossEntropyGradient(logits, labels, ops.crossEntropy(logits, labels));
          ops.gather(x, labels);
          ops.transpose(ops.reshape(x, [3, 4, 10]));
          ops.cast(ops.randomBits([5], key), 'f32');
          ops.full([3000], 1);
        });
      step();
      const before = tensors().getNumOfTensors();
      for (let i = 0; i < 3; i++) step();
      expect(tensors().getNumOfTensors()).toBe(before);
      expect(ops.memory()).toMatchObject({ tensors: 0, bytes: 0 });
    });

    it('makes constants afresh when there are many', async () => {
      const backend = createTfjsNodeBackend(tf);
      const before = tensors().getNumOfTensors();
      const x = backend.full([100, 100], 1, 'f32');
      for (let i = 0; i < 100; i++) {
        for (let j = 0; j < 60; j++) backend.dispose(backend.slice(x, [i, j], [1, 2]));
      }
      expect(tensors().getNumOfTensors() - before).toBeLessThan(4200);
      expect(await backend.read(backend.slice(x, [3, 4], [1, 2]))).toEqual(Float32Array.of(1, 1));
    });

    it('rounds subnormals to formats to the bit, though its arithmetic flushes them', async () => {
      const backend = createTfjsNodeBackend(tf, { hostKernels: false });
      const words = Uint32Array.from(
        { length: 4096 },
        (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 8) | ((i & 1) << 31),
      );
      // Whole blocks of subnormals, and blocks with magnitudes up to 2^-110 beside them.
      for (let i = 0; i < words.length; i += 7) words[i] = words[i]! & (i % 2 === 0 ? 0x807fffff : 0x8fffffff);
      for (let i = 0; i < 1024; i++) words[i] = words[i]! & 0x807fffff;
      const values = new Float32Array(words.buffer);
      const key = { seed: 2 ** 40, stream: 1, step: 2, sample: 3 };
      const x = backend.fromData(values, [64, 64], 'f32');
      for (const format of Object.values(formats)) {
        for (const rounding of ['nearestEven', 'nearestAway', 'towardZero', 'stochastic'] as const) {
          // NVFP4's scales are no powers of two, and have no modes.
          const scaleModes = ['floor', 'ceil', 'rceil', 'even'] as const;
          for (const scaleMode of format.scale === 'e8m0' ? scaleModes : (['floor'] as const)) {
            for (const axis of [0, 1]) {
              const options = { format, axis, rounding, scaleMode, key };
              const y = backend.fused.fakeQuantize!(x, options);
              const want = fakeQuantize(values, { ...options, shape: [64, 64] });
              const got = (await backend.read(y)) as Float32Array;
              const wrong = want.findIndex((value, i) => !Object.is(value, got[i]));
              expect(wrong, `${format.name} ${rounding} ${scaleMode}: ${values[wrong]}`).toBe(-1);
              backend.dispose(y);
            }
          }
        }
      }
      backend.dispose(x);
    });

    it('exchanges tensors with the program around it by reference', async () => {
      const program = tf as unknown as {
        tensor2d(values: readonly number[], shape: readonly number[], dtype?: string): never;
        tidy<T>(body: () => T): T;
        memory(): { numTensors: number };
      };
      const backend = createTfjsNodeBackend(tf);
      const before = tensors().getNumOfTensors();
      const theirs = program.tensor2d([1, -2, 3, -4], [2, 2]) as unknown as { dispose(): void };
      const x = backend.fromTfjs(theirs as never) as FloatTensor;
      theirs.dispose();
      const y = backend.negate(x);
      backend.dispose(x);
      const flat = backend.reshape(y, [4]);
      const out = program.tidy(() => {
        backend.toTfjs(flat);
        return [backend.toTfjs(flat)];
      })[0] as unknown as { shape: number[]; dataSync(): Float32Array; dispose(): void };
      expect(backend.readSync(flat)).toEqual(Float32Array.of(-1, 2, -3, 4));
      backend.dispose(y);
      backend.dispose(flat);
      expect(out.shape).toEqual([4]);
      expect(out.dataSync()).toEqual(Float32Array.of(-1, 2, -3, 4));
      out.dispose();
      // One tensor made in the tidy is the test's to dispose of, and constants stay.
      expect(tensors().getNumOfTensors() - before).toBeLessThanOrEqual(4);
      expect(
        isLmdError(
          errorOf(() => backend.fromTfjs(out as never)),
          'TENSOR_DISPOSED',
        ),
      ).toBe(true);
      const flags = program.tensor2d([1, 0], [1, 2], 'bool');
      expect(
        isLmdError(
          errorOf(() => backend.fromTfjs(flags)),
          'DTYPE_MISMATCH',
        ),
      ).toBe(true);
    });
  });
}
