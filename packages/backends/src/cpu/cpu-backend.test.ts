import { createOperations, isLmdError, type LmdError } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../reference/index.js';
import { type CpuBackend, createCpuBackend } from './index.js';

function errorOf(run: () => unknown): LmdError {
  try {
    run();
  } catch (error) {
    if (isLmdError(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

/** Codes and scales of a matrix of zeros in MXINT8. */
const zeros = (rows: number, terms: number) => ({
  codes: new Uint8Array(rows * terms),
  scales: new Uint8Array((rows * terms) / 32),
});

describe('createCpuBackend', () => {
  it('says what it computes with', async () => {
    const backend = await createCpuBackend({ arithmetic: 'strict' });
    expect(backend.name).toBe('cpu');
    expect(backend.device).toContain('strict multiply-add');
  });

  it.each([
    [{ thread: 2 }, 'UNKNOWN_OPTION', '"thread"'],
    [{ threads: 0 }, 'INVALID_ARGUMENT', 'threads'],
    [{ threads: 1.5 }, 'INVALID_ARGUMENT', 'threads'],
    [{ threads: 1000 }, 'INVALID_ARGUMENT', 'an integer at least 1 and at most 64'],
    [{ parallelThreshold: -1 }, 'INVALID_ARGUMENT', 'parallelThreshold'],
    [{ arithmetic: 'exact' }, 'INVALID_ARGUMENT', 'one of: strict, fused'],
    [{ memoryLimit: 10 }, 'INVALID_ARGUMENT', 'memoryLimit'],
    [{ memoryLimit: 2 ** 40 }, 'INVALID_ARGUMENT', 'memoryLimit'],
  ])('refuses %j', async (options, code, text) => {
    const error = await createCpuBackend(options as never).catch((caught: unknown) => caught);
    expect(isLmdError(error, code as 'UNKNOWN_OPTION')).toBe(true);
    expect((error as Error).message).toContain(text);
  });

  it('refuses threads where there are no workers, or no shared memory, and has one by default there', async () => {
    const remove = (owner: object, name: string) => {
      const before = Object.getOwnPropertyDescriptor(owner, name)!;
      Object.defineProperty(owner, name, { value: undefined, configurable: true, writable: true });
      return () => Object.defineProperty(owner, name, before);
    };
    for (const restore of [remove(process, 'getBuiltinModule'), remove(globalThis, 'SharedArrayBuffer')]) {
      try {
        const error = await createCpuBackend({ threads: 2 }).catch((caught: unknown) => caught);
        expect(isLmdError(error, 'UNSUPPORTED')).toBe(true);
        expect((error as Error).message).toContain('threads: 1');
        expect((await createCpuBackend()).device).toContain('one thread');
      } finally {
        restore();
      }
    }
  });

  it('refuses every use once it is closed', async () => {
    for (const threads of [1, 2]) {
      const backend = await createCpuBackend({ threads, parallelThreshold: 0 });
      const x = backend.exp(backend.full([1000], 1, 'f32'));
      backend.close?.();
      expect(errorOf(() => backend.negate(x)).message).toContain('closed');
      expect(errorOf(() => backend.full([1], 1, 'f32')).code).toBe('BACKEND_FAILURE');
    }
  });

  it.each([1, 2])(
    'reports that memory is full with what was asked and what is held, and lives (%i threads)',
    async (threads) => {
      const backend = await createCpuBackend({ memoryLimit: 1_000_000, threads, parallelThreshold: 0 });
      const ops = createOperations(backend);
      const kept = ops.full([1000], 3);
      const error = errorOf(() => ops.zeros([1_000_000]));
      expect(error.code).toBe('BACKEND_FAILURE');
      expect(error.value).toEqual({ asked: 4_000_000, held: 4096, limit: 1_000_000 });
      expect(error.message).toContain('4,000,000 bytes were asked for, 4,096 are held');
      expect(backend.memory()).toEqual({ tensors: 1, bytes: 4000 });
      expect((await ops.read(ops.add(kept, kept)))[999]).toBe(6);
    },
  );

  it('says so in block products and packed weights too, leaves nothing behind, and computes what fits', async () => {
    const backend = await createCpuBackend({ memoryLimit: 1_000_000 });
    const ops = createOperations(backend);
    const { mxint8 } = formats;
    const x = ops.full([400, 320], 1);
    const [a, wide] = [ops.encodeOperand(x, { format: mxint8, axis: 1 }), ops.full([4, 32], 1)];
    const held = backend.memory();
    const full = { code: 'BACKEND_FAILURE', value: { limit: 1_000_000 } };
    // 640 kB of products beside 512 kB of x and 128 kB of its codes.
    const actions = [
      () => ops.blockMatmul(a, a),
      () => ops.scope(() => Array.from({ length: 12 }, () => ops.encodeOperand(x, { format: mxint8, axis: 0 }))),
      () => ops.packMatrix({ format: mxint8, shape: [1000, 1024], axis: 1, ...zeros(1000, 1024) }),
    ];
    for (const action of actions) {
      expect(errorOf(action)).toMatchObject(full);
      expect(backend.memory()).toEqual(held);
    }
    const b = ops.encodeOperand(wide, { format: mxint8, axis: 1 });
    expect((await ops.read(ops.blockMatmul(b, b)))[0]).toBe(32);
  });

  it.each([
    [{ native: 'off', arithmetic: 'strict' }, /^products of i16, 128 bits \(i32x4/],
    [{ native: 'off', arithmetic: 'fused' }, /^dot products of bytes.*relaxed_dot/],
    [{ native: 'require' }, /^(dot products of bytes|products of i16), \d+ bits \((vp|s)/],
  ] as const)('says how it multiplies integers with %o', async (options, text) => {
    const backend = await createCpuBackend(options).catch((error: unknown) => error);
    // Node 20 has no relaxed SIMD, and not every machine has native kernels.
    if (isLmdError(backend, 'UNSUPPORTED') || isLmdError(backend, 'ENGINE_MISSING')) return;
    expect((backend as CpuBackend).integerProducts).toMatch(text);
  });

  it.each([1, 2])('keeps every live tensor right while its memory grows (%i threads)', async (threads) => {
    const backend = await createCpuBackend({ threads });
    const ops = createOperations(backend);
    // Some made by all threads, so that workers write where memory was not when they began.
    const tensors = Array.from({ length: 12 }, (_, i) => {
      const x = ops.full([1 << 20], i);
      return i % 2 === 0 ? x : ops.add(x, ops.zeros([1 << 20]));
    });
    for (const [i, x] of tensors.entries()) {
      const sum = await ops.read(ops.sum(x));
      expect(sum[0]).toBe(i * 2 ** 20);
    }
  });

  it('refuses a tensor of another backend, and one that was freed', async () => {
    const one = await createCpuBackend();
    const other = await createCpuBackend();
    const x = other.full([2], 1, 'f32');
    expect(errorOf(() => one.negate(x)).code).toBe('INVALID_ARGUMENT');
    other.dispose(x);
    expect(errorOf(() => other.negate(x)).code).toBe('TENSOR_DISPOSED');
    expect(errorOf(() => other.dispose(x)).code).toBe('TENSOR_DISPOSED');
  });

  it('hands out copies in memory of its own, and takes shared memory in', async () => {
    const backend = await createCpuBackend({ threads: 2 });
    const shared = new Float32Array(new SharedArrayBuffer(16)).fill(2);
    const x = backend.fromData(shared, [4], 'f32');
    const before = await backend.read(x);
    expect(before.buffer).toBeInstanceOf(ArrayBuffer);
    expect([...before]).toEqual([2, 2, 2, 2]);
  });

  it('takes no new memory after the first of many equal steps', async () => {
    const backend = await createCpuBackend({ memoryLimit: 3_000_000 });
    const ops = createOperations(backend);
    // Without reuse, a hundred steps would ask for 100 times 1.2 MB.
    for (let step = 0; step < 100; step++) {
      ops.scope(() => {
        const x = ops.randomNormal([300, 300], { seed: 1, stream: 0, step, sample: 0 });
        ops.matmul(ops.exp(x), ops.add(x, 1), { transposeB: true });
      });
    }
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });
});

describe('matrix products', () => {
  const sizes = [1, 3, 4, 7, 8, 9, 130, 257, 520];

  it.each(['strict', 'fused'] as const)('agree with float64 at every edge of a block (%s)', async (arithmetic) => {
    const backend = await createCpuBackend({ arithmetic }).catch((error: unknown) => {
      // Node 20 has no relaxed SIMD; that it says so is what there is to test.
      expect(isLmdError(error, 'ENGINE_MISSING')).toBe(true);
      return createCpuBackend({ arithmetic: 'strict' });
    });
    const ops = createOperations(backend);
    const exact = createOperations(createReferenceBackend({ storage: 'f64' }));
    let seed = 1;
    for (const m of sizes) {
      for (const n of [sizes[(seed * 5) % sizes.length]!, sizes[(seed * 7 + 2) % sizes.length]!]) {
        const k = sizes[(seed * 2) % sizes.length]!;
        const flags = { transposeA: seed % 2 === 1, transposeB: seed % 4 > 1 };
        const a = new Float32Array(m * k).map((_, i) => Math.fround(Math.sin(i * 1.7 + seed)));
        const b = new Float32Array(k * n).map((_, i) => Math.fround(Math.cos(i * 2.3 + seed)));
        const product = async (on: typeof ops) => {
          const x = on.fromData(a, flags.transposeA ? [k, m] : [m, k]);
          const y = on.fromData(b, flags.transposeB ? [n, k] : [k, n]);
          const result = await on.read(on.matmul(x, y, flags));
          return result;
        };
        const got = await product(ops);
        const want = await product(exact);
        expect(got.length).toBe(m * n);
        let worst = 0;
        got.forEach((value, i) => {
          worst = Math.max(worst, Math.abs(value - want[i]!));
        });
        expect(worst).toBeLessThan((k + 1) * k * 2 ** -24);
        seed++;
      }
    }
  });
});
