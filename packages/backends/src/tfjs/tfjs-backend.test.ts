import { createRequire } from 'node:module';
import { type FloatTensor, isLmdError, type LmdError, type Tensor } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { describe, expect, it } from 'vitest';
import type { Engine } from './engine.js';
import { hostMemoryOf } from './host-memory.js';
import { createTfjsBackend, type TfjsModule } from './index.js';

async function onEngine(name: string) {
  await tf.setBackend(name);
  await tf.ready();
  return createTfjsBackend(tf);
}

/** The error that `body` throws, for its code and message. */
function errorOf(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not throw.');
}

describe('createTfjsBackend', () => {
  it('names its engine, and says what runs it', async () => {
    const wasm = await onEngine('wasm');
    expect(wasm.name).toBe('tfjs-wasm');
    expect(wasm.device).toBe(`TensorFlow.js ${tf.version_core} wasm (SIMD, host kernels)`);
    expect((await onEngine('cpu')).device).toBe(`TensorFlow.js ${tf.version_core} cpu (host kernels)`);
  });

  it.each([
    ['no backend is current', { ...tf, getBackend: () => undefined } as unknown as TfjsModule],
    ['the module is missing', undefined as unknown as TfjsModule],
    ['it is another module', {} as TfjsModule],
  ])('says what to install where %s', (_, module) => {
    const error = errorOf(() => createTfjsBackend(module));
    expect(isLmdError(error, 'ENGINE_MISSING')).toBe(true);
    expect(error.message).toContain('npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm');
    expect(error.message).toContain("await tf.setBackend('wasm')");
  });

  it('refuses unknown options and values', async () => {
    const unknown = errorOf(() => createTfjsBackend(tf, { hostKernel: true } as never));
    expect(isLmdError(unknown, 'UNKNOWN_OPTION')).toBe(true);
    expect(unknown.message).toContain('hostKernels');
    expect(
      isLmdError(
        errorOf(() => createTfjsBackend(tf, { hostKernels: 1 } as never)),
        'INVALID_ARGUMENT',
      ),
    ).toBe(true);
  });

  it('refuses a second copy of the core', async () => {
    await tf.setBackend('cpu');
    const require = createRequire(import.meta.url);
    const file = require.resolve('@tensorflow/tfjs-core');
    const first = require.cache[file];
    delete require.cache[file];
    const copy = require(file) as typeof tf;
    if (first !== undefined) require.cache[file] = first;
    const error = errorOf(() => createTfjsBackend(copy));
    expect(isLmdError(error, 'UNSUPPORTED')).toBe(true);
    expect(error.message).toContain('npm ls @tensorflow/tfjs-core');
  });

  it('names a kernel that the engine lacks', async () => {
    await tf.setBackend('cpu');
    const backend = createTfjsBackend({ ...tf, getKernel: () => undefined } as TfjsModule, { hostKernels: false });
    const x = backend.full([2], 1, 'f32');
    const error = errorOf(() => backend.exp(x));
    expect(isLmdError(error, 'UNSUPPORTED')).toBe(true);
    expect(error.message).toContain('has no kernel Exp');
  });

  it('reports a kernel that fails', async () => {
    await tf.setBackend('cpu');
    const kernelFunc = () => {
      throw new Error('out of luck');
    };
    const backend = createTfjsBackend({ ...tf, getKernel: () => ({ kernelFunc }) } as unknown as TfjsModule, {
      hostKernels: false,
    });
    const x = backend.full([2], 1, 'f32');
    const error = errorOf(() => backend.exp(x));
    expect(isLmdError(error, 'BACKEND_FAILURE')).toBe(true);
    expect(error.message).toMatch(/Exp.*out of luck/);
  });

  it('reports memory that is full, and still works', async () => {
    const backend = await onEngine('wasm');
    const x = backend.full([3], 2, 'f32');
    const error = errorOf(() => backend.broadcastTo(backend.full([1], 1, 'f32'), [2 ** 30]));
    expect(isLmdError(error, 'BACKEND_FAILURE')).toBe(true);
    expect(error.message).toContain('memory is full');
    expect(await backend.read(backend.multiply(x, x))).toEqual(Float32Array.of(4, 4, 4));
  });

  it('reports an allocation that fails', () => {
    const stored = new Map<object, object>();
    const backend = {
      wasm: { HEAPU8: new Uint8Array(0) },
      dataIdMap: stored,
      write() {
        const dataId = {};
        stored.set(dataId, { memoryOffset: 0 });
        return dataId;
      },
    };
    const memory = hostMemoryOf({ name: 'wasm', backend } as unknown as Engine);
    expect(
      isLmdError(
        errorOf(() => memory?.allocate(5, 'float32')),
        'BACKEND_FAILURE',
      ),
    ).toBe(true);
    expect(stored.size).toBe(0);
  });

  it('keeps its tensors out of tf.tidy', async () => {
    for (const name of ['wasm', 'cpu']) {
      const backend = await onEngine(name);
      let kept: Tensor | undefined;
      tf.tidy(() => {
        kept = backend.multiply(backend.full([2], 2, 'f32'), backend.full([2], 2, 'f32'));
      });
      expect(await backend.read(kept!)).toEqual(Float32Array.of(4, 4));
    }
  });

  it('stays with its engine when another becomes current', async () => {
    const backend = await onEngine('wasm');
    const x = backend.full([2], 2, 'f32');
    await tf.setBackend('cpu');
    expect(await backend.read(backend.exp(backend.add(x, x)))).toEqual(Float32Array.of(Math.exp(4), Math.exp(4)));
  });

  it('sees its memory through growth', async () => {
    const backend = await onEngine('wasm');
    const small = backend.fromData(Float32Array.of(1, 2, 3), [3], 'f32');
    // Beyond the 16 MiB that the engine starts with, so that earlier views are detached.
    const large = backend.broadcastTo(small, [3_000_000, 3]);
    const sums = backend.sum(large, [0]);
    expect(await backend.read(sums)).toEqual(Float32Array.of(3e6, 6e6, 9e6));
    expect(await backend.read(small)).toEqual(Float32Array.of(1, 2, 3));
    for (const x of [small, large, sums]) backend.dispose(x);
  });

  it('gives everything back to the engine', async () => {
    for (const name of ['wasm', 'cpu']) {
      for (const hostKernels of [true, false]) {
        await tf.setBackend(name);
        const backend = createTfjsBackend(tf, { hostKernels });
        const stored = () => (tf.backend() as unknown as { numDataIds(): number }).numDataIds();
        const step = () => {
          const a = backend.full([2, 3, 4], 1, 'f32');
          const b = backend.full([1, 5, 4], 2, 'f32');
          const results = [
            backend.matmul(a, b, false, true),
            backend.matmul(a, a, true, false),
            backend.maximum(a, a),
            backend.sign(a),
            backend.transpose(a, [0, 1, 2]),
            backend.transpose(a, [2, 1, 0]),
            backend.where(backend.greater(a, a), a, a),
            backend.slice(a, [0, 0, 0], [2, 3, 4]),
          ];
          for (const x of [a, b, ...results]) backend.dispose(x);
        };
        step();
        const before = stored();
        for (let i = 0; i < 5; i++) step();
        // One comparison a step is not freed above.
        expect(stored() - before).toBe(5);
      }
    }
  });
});

describe.each(['cpu', 'wasm'])('tensors shared with the program around it, on %s', (name) => {
  it('pass both ways by reference, and are counted and freed by tf', async () => {
    const backend = await onEngine(name);
    const before = tf.memory();
    const theirs = tf.tensor2d([1, -2, 3, -4], [2, 2]);
    const x = backend.fromTfjs(theirs) as FloatTensor;
    theirs.dispose();
    const y = backend.negate(x);
    const shared = backend.reshape(x, [4]);
    backend.dispose(x);
    const [out, again, same] = [y, y, shared].map((z) => backend.toTfjs(z) as unknown as tf.Tensor) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    backend.dispose(y);
    backend.dispose(shared);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    expect(out.arraySync()).toEqual([
      [-1, 2],
      [-3, 4],
    ]);
    expect(same.shape).toEqual([4]);
    expect(same.arraySync()).toEqual([1, -2, 3, -4]);
    out.dispose();
    expect(again.arraySync()).toEqual([
      [-1, 2],
      [-3, 4],
    ]);
    tf.dispose([again, same]);
    const after = tf.memory();
    expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([
      before.numTensors,
      before.numDataBuffers,
      before.numBytes,
    ]);
  });

  it('outlive a tidy', async () => {
    const backend = await onEngine(name);
    const out = tf.tidy(() => {
      backend.toTfjs(backend.full([2], 7, 'i32'));
      return [backend.toTfjs(backend.full([2], 7, 'i32')) as unknown as tf.Tensor];
    })[0]!;
    expect(out.isDisposed).toBe(false);
    expect(out.dtype).toBe('int32');
    expect(Array.from(out.dataSync())).toEqual([7, 7]);
  });

  it('are read at once', async () => {
    for (const options of [{}, { hostKernels: false }]) {
      await onEngine(name);
      const backend = createTfjsBackend(tf, options);
      expect(backend.readSync(backend.full([2], 1.5, 'f32'))).toEqual(Float32Array.of(1.5, 1.5));
    }
  });

  it('of another backend are refused, and those that were freed', async () => {
    const [backend, other] = [await onEngine(name), await onEngine(name)];
    const [x, foreign] = [backend.full([2], 1, 'f32'), other.full([2], 1, 'f32')];
    const codeOf = (run: () => unknown) => (errorOf(run) as Partial<LmdError>).code;
    expect(codeOf(() => backend.exp(foreign))).toBe('INVALID_ARGUMENT');
    expect(errorOf(() => backend.exp(foreign)).message).toContain('fromData');
    backend.dispose(x);
    expect(codeOf(() => backend.exp(x))).toBe('TENSOR_DISPOSED');
    expect(codeOf(() => backend.dispose(x))).toBe('TENSOR_DISPOSED');
    other.dispose(foreign);
    expect(other.memory().tensors).toBe(0);
    // The result of a refused call is freed, too.
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it('are refused when disposed of, of another dtype, or while another engine is current', async () => {
    const backend = await onEngine(name);
    const x = tf.tensor1d([1]);
    const flag = tf.tensor1d([true]);
    expect(
      isLmdError(
        errorOf(() => backend.fromTfjs(flag)),
        'DTYPE_MISMATCH',
      ),
    ).toBe(true);
    await onEngine(name === 'cpu' ? 'wasm' : 'cpu');
    expect(errorOf(() => backend.fromTfjs(x)).message).toContain(`await tf.setBackend('${name}')`);
    await onEngine(name);
    x.dispose();
    expect(
      isLmdError(
        errorOf(() => backend.fromTfjs(x)),
        'TENSOR_DISPOSED',
      ),
    ).toBe(true);
  });
});

it('says so where an engine cannot read at once', async () => {
  await onEngine('cpu');
  const engine = { ...tf.backend(), read: undefined, readSync: undefined, write: () => ({}), disposeData: () => true };
  const backend = createTfjsBackend({ ...tf, backend: () => engine } as unknown as TfjsModule, { hostKernels: false });
  const error = errorOf(() => backend.readSync(backend.full([1], 1, 'f32')));
  expect(isLmdError(error, 'UNSUPPORTED')).toBe(true);
});
