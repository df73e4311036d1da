import { createOperations, isLmdError } from '@lmd/core';
import { levels, loadNative } from '@lmd/native';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from './index.js';
import { type Arithmetic, startWasm } from './wasm/instance.js';

const missing = loadNative().reason;
/** Extents around the edges of tiles and blocks of both. */
const extents = [1, 2, 3, 5, 7, 8, 11, 12, 13, 16, 24, 31, 33, 50, 64, 65, 127, 241, 257, 520];

/** Node 20 has no fused multiply-add in WebAssembly: there, plain C is compared (`@lmd/native`), and nothing here. */
const canStart = async (arithmetic: Arithmetic) =>
  (await startWasm(arithmetic, 1).catch(() => undefined)) !== undefined;

describe.each(['fused', 'strict'] as const)('native products, %s', (arithmetic) => {
  for (const level of levels) {
    const { native, reason } = loadNative({ level, arithmetic });
    if (native === undefined) {
      it.skip(`have the bits of WebAssembly, ${level}: ${reason}`, () => {});
      continue;
    }
    it(`have the bits of WebAssembly, ${level}`, async ({ skip }) => {
      if (!(await canStart(arithmetic))) skip(`this version of Node has no ${arithmetic} multiply-add in WebAssembly`);
      const { kernels, memory, firstFree } = await startWasm(arithmetic, 1);
      const most = 520 * 520;
      const start = Math.ceil(firstFree / 64) * 64;
      if (start + 16 * most > memory.buffer.byteLength) memory.grow(Math.ceil((16 * most) / 65_536));
      const [a, b, first, second] = [0, 1, 2, 3].map((i) => start + 4 * most * i) as [number, number, number, number];
      const values = new Float32Array(memory.buffer, a, 2 * most);
      for (let i = 0; i < values.length; i++) values[i] = Math.sin(12.9898 * i) * 2 ** ((i * 7) % 20);
      const nativeKernels = native.kernels(memory);
      let seed = 0;
      for (const m of extents) {
        for (const n of extents) {
          const k = extents[(seed * 7 + m + n) % extents.length]!;
          // Plain C is slow, and small products have all its edges.
          if (level === 'scalar' && m * n * k > 2_000_000) continue;
          const [transposeA, transposeB] = [seed % 2 === 1, seed % 4 > 1];
          const rest = [m, k, n, transposeA, transposeB, 0, 0] as const;
          kernels.matmul(0, 1, a, b, first, ...rest, m, n);
          nativeKernels.matmul(0, 1, a, b, second, ...rest, m, n);
          const [want, got] = [first, second].map((at) => new Int32Array(memory.buffer, at, m * n)) as [
            Int32Array,
            Int32Array,
          ];
          const wrong = want.findIndex((bits, i) => bits !== got[i]);
          if (wrong >= 0) expect.fail(`${[m, k, n, transposeA, transposeB]}: element ${wrong} differs`);
          seed++;
        }
      }
    });
  }
});

describe('the option native', () => {
  it("is 'off' on request, and said", async () => {
    const backend = await createCpuBackend({ native: 'off' });
    expect(backend.device).not.toContain('native');
    expect(backend.native).toEqual({ reason: "The option native is 'off'." });
  });

  it('is used where it works, else the reason is said', async () => {
    const backend = await createCpuBackend();
    if (backend.native.level === undefined) expect(backend.native.reason).not.toBe('');
    else expect(backend.device).toMatch(/native products by (AVX|NEON).*multiply-add/);
  });

  it('can be required', async () => {
    const result = await createCpuBackend({ native: 'require' }).catch((error: unknown) => error);
    if (missing === undefined) expect(result).toMatchObject({ native: { level: loadNative().native!.level } });
    else expect(isLmdError(result, 'ENGINE_MISSING')).toBe(true);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
  ])(
    'gives the same bits on three threads, and while memory grows (transposed %s, %s)',
    async (transposeA, transposeB) => {
      const backends = [
        await createCpuBackend({ threads: 1 }),
        await createCpuBackend({ threads: 3, parallelThreshold: 0 }),
      ];
      const results = await Promise.all(
        backends.map(async (backend) => {
          const ops = createOperations(backend);
          const key = { seed: 1, stream: 0, step: 0, sample: 0 };
          const a = ops.randomNormal(transposeA ? [300, 200] : [200, 300], key);
          const b = ops.randomNormal(transposeB ? [210, 300] : [300, 210], { ...key, stream: 1 });
          ops.matmul(a, b, { transposeA, transposeB });
          ops.zeros([8_000_000]);
          const out = await ops.read(ops.matmul(a, b, { transposeA, transposeB }));
          backend.close();
          return new Int32Array(out.buffer);
        }),
      );
      expect(results[1]).toEqual(results[0]);
    },
  );
});
