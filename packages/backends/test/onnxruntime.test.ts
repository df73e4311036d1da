import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpuBackend, type CpuBackendOptions, createCpuBackend } from '@lmd/backends/cpu';
import { createOperations, isLmdError, type LmdError } from '@lmd/core';
import { afterEach, describe, expect, it } from 'vitest';
import { onnxruntimeFolder } from './onnxruntime-folder.js';

const key = { seed: 1, stream: 0, step: 0, sample: 0 };
/** Native code of Node before version 22 takes no views on shared memory. */
const sharesMemory = Number(process.versions.node.split('.')[0]) >= 22;

async function errorOf(options: object): Promise<LmdError> {
  const error: unknown = await createCpuBackend(options).catch((thrown: unknown) => thrown);
  if (isLmdError(error)) return error;
  throw new Error('It did not throw an LmdError.');
}

describe('without onnxruntime', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  /** A package of that name whose native code is `binding`. */
  function packageWith(binding: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'lmd-onnxruntime-'));
    folders.push(folder);
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'onnxruntime-node', version: '9.9.9' }));
    writeFileSync(join(folder, 'dist', 'binding.js'), binding);
    return folder;
  }

  it('says how to install it', async () => {
    const error = await errorOf({ products: 'onnxruntime', onnxruntime: '/nowhere/onnxruntime-node' });
    expect(error.code).toBe('ENGINE_MISSING');
    expect(error.message).toContain('/nowhere/onnxruntime-node');
    expect(error.message).toContain('npm install --ignore-scripts onnxruntime-node');
  });

  it.each([
    ['cannot be loaded', "throw new Error('wrong ELF class\\nand more');", 'wrong ELF class.'],
    ['has another interface', 'exports.binding = {};', 'another interface'],
    [
      'multiplies wrongly',
      `exports.initOrt = () => {};
       exports.binding = { InferenceSession: class { loadModel() {} run() {} } };`,
      'a small product',
    ],
    [
      'is not synchronous',
      `exports.initOrt = () => {};
       exports.binding = { InferenceSession: class { loadModel() {} async run() {} } };`,
      'not synchronous',
    ],
    [
      'fails',
      `exports.initOrt = () => {};
       exports.binding = { InferenceSession: class { loadModel() { throw new Error('no such operation'); } } };`,
      'no such operation',
    ],
  ])('says that native code %s', async (_, binding, text) => {
    const error = await errorOf({ products: 'onnxruntime', onnxruntime: packageWith(binding) });
    expect(error.code).toBe('ENGINE_MISSING');
    expect(error.message).toContain('onnxruntime-node 9.9.9 does not work here');
    expect(error.message).toContain(text);
    expect(error.message).toContain("products: 'wasm'");
  });

  it('takes the next of a list, and nothing else', async () => {
    const onnxruntime = '/nowhere/onnxruntime-node';
    const backend = await createCpuBackend({ products: ['onnxruntime', 'wasm'], onnxruntime });
    expect(backend.device).not.toContain('onnxruntime');
    backend.close();
    expect((await errorOf({ products: ['onnxruntime'], onnxruntime })).code).toBe('ENGINE_MISSING');
  });

  it.each([
    { products: 'blas' },
    { products: [] },
    { products: ['onnxruntime', 'blas'] },
    { products: 'onnxruntime', onnxruntime: 1 },
    { onnxruntime: '' },
  ])('refuses %j', async (options) => {
    expect((await errorOf(options)).code).toBe('INVALID_ARGUMENT');
  });
});

if (onnxruntimeFolder === undefined) {
  it.skip('with onnxruntime: LMD_ONNXRUNTIME names no folder of onnxruntime-node; node scripts/native-tests.mjs installs one', () => {});
} else {
  const onnxruntime: string = onnxruntimeFolder;
  const open = (options: CpuBackendOptions) => createCpuBackend({ products: 'onnxruntime', onnxruntime, ...options });

  describe('with onnxruntime', () => {
    it('says so, with its version and how many threads there are', async () => {
      const backend = await open({ threads: 2 });
      const own = sharesMemory ? '2 threads' : 'one thread';
      expect(backend.device).toMatch(new RegExp(`, ${own}; products by onnxruntime \\d+\\.\\d+\\.\\d+, 2 threads$`));
      backend.close();
      const first = await createCpuBackend({ products: ['onnxruntime', 'wasm'], onnxruntime, threads: 1 });
      expect(first.device).toContain('products by onnxruntime');
      first.close();
    });

    /** Products of the kinds of a training step, in bits. */
    async function products(backend: CpuBackend): Promise<Int32Array[]> {
      const ops = createOperations(backend);
      const results: Int32Array[] = [];
      for (const [batch, m, k, n] of [
        [1, 260, 192, 576],
        [1, 192, 260, 768],
        [24, 65, 64, 65],
        [1, 1, 384, 1000],
        [3, 17, 300, 33],
        // A result that is turned afterwards, a left operand that is turned first, and rows in slabs.
        [1, 70, 2500, 20],
        [1, 30, 50, 1600],
        [1, 4100, 100, 300],
      ] as const) {
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const a = ops.randomNormal(transposeA ? [batch, k, m] : [batch, m, k], key);
            const b = ops.randomNormal(transposeB ? [batch, n, k] : [batch, k, n], { ...key, stream: 1 });
            const data = await ops.read(ops.matmul(a, b, { transposeA, transposeB }));
            results.push(new Int32Array(data.buffer, data.byteOffset, data.length));
          }
        }
      }
      return results;
    }

    it.each([1, 2, 3])('gives the same bits from run to run (%i threads)', async (threads) => {
      const [first, second] = await Promise.all(
        [0, 1].map(async () => {
          const backend = await open({ threads, parallelThreshold: 0 });
          const bits = await products(backend);
          backend.close();
          return bits;
        }),
      );
      for (const [i, bits] of first!.entries()) {
        expect(Buffer.compare(Buffer.from(bits.buffer), Buffer.from(second![i]!.buffer))).toBe(0);
      }
    });

    it('turns tall and wide gradients and cuts many rows without a change in what comes out', async () => {
      const backend = await open({ threads: 2, parallelThreshold: 0 });
      const own = await createCpuBackend({ threads: 2 });
      for (const [m, k, n] of [
        [70, 2500, 20],
        [30, 50, 1600],
        [1700, 2100, 30],
        [4100, 100, 300],
      ] as const) {
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const [got, wanted] = await Promise.all(
              [backend, own].map((on) => {
                const ops = createOperations(on);
                const a = ops.randomUniform(transposeA ? [k, m] : [m, k], key);
                const b = ops.randomUniform(transposeB ? [n, k] : [k, n], { ...key, stream: 1 });
                return ops.read(ops.matmul(a, b, { transposeA, transposeB }));
              }),
            );
            let worst = 0;
            for (let i = 0; i < m * n; i++) worst = Math.max(worst, Math.abs(wanted![i]! - got![i]!));
            // Sums of k numbers below 1, in two orders.
            expect(worst).toBeLessThan(k * k * 2 ** -24);
            expect(got).toHaveLength(m * n);
          }
        }
      }
      own.close();
      backend.close();
    });

    it('keeps products right while memory grows', async () => {
      for (const threads of [1, 2]) {
        const backend = await open({ threads });
        const ops = createOperations(backend);
        const x = ops.full([256, 256], 0.5);
        const y = ops.full([256, 256], 2);
        for (let i = 0; i < 8; i++) {
          const product = ops.matmul(x, y);
          ops.zeros([1 << 22]);
          expect([...(await ops.read(product))].every((value) => value === 256)).toBe(true);
        }
        backend.close();
      }
    });

    it('refuses every use once it is closed, and leaves others alone', async () => {
      const one = await open({ threads: 1, parallelThreshold: 0 });
      const other = await open({ threads: 1, parallelThreshold: 0 });
      const [x, y] = [one, other].map((backend) => backend.full([1, 8, 8], 1, 'f32'));
      one.close();
      expect(() => one.matmul(x!, x!, false, false)).toThrow('closed');
      expect([...(await other.read(other.matmul(y!, y!, false, false)))]).toEqual(Array(64).fill(8));
      other.close();
    });
  });
}
