import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nativeLevels, nothingToTest } from './levels.js';

/** Extents around the edges of tiles and blocks. */
const extent = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(47, 96, 97, 240, 241, 256, 257, 513, 1030));

const products = fc
  .record({
    m: extent,
    k: extent,
    n: extent,
    batch: fc.integer({ min: 1, max: 3 }),
    sharesB: fc.boolean(),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    partRows: fc.constantFrom(1, 7, 24, 5000),
    partColumns: fc.constantFrom(5, 96, 5000),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  })
  .filter(({ m, k, n, batch }) => m * k * n * batch < 4_000_000);

/** Numbers of both signs and many sizes, and among them zeros, subnormal numbers and infinities. */
function fill(values: Float32Array, seed: number): void {
  for (let i = 0; i < values.length; i++) {
    const x = Math.sin(seed + 12.9898 * i) * 43758.5453;
    values[i] =
      (x - Math.round(x)) * 2 ** ((i * 7 + seed) % 24) * (i % 97 === 13 ? 2 ** -140 : 1) * (i % 89 === 7 ? 0 : 1);
  }
  if (seed % 5 === 0) values[seed % values.length] = Number.POSITIVE_INFINITY;
}

if (nothingToTest !== undefined) it.skip(`native products: ${nothingToTest}`, () => {});
else {
  describe.each(['fused', 'strict'] as const)('products, %s', (arithmetic) => {
    const all = nativeLevels(arithmetic);
    const scalar = all.at(-1)!;
    it('tests against plain C', () => expect(scalar.level).toBe('scalar'));
    if (all.length === 1) it.skip('this processor has no vectors that there are kernels for', () => {});

    it.each(all.slice(0, -1))('have the bits of plain C, $level', (native) => {
      fc.assert(
        fc.property(products, (p) => {
          const { m, k, n, batch, sharesB, transposeA, transposeB, partRows, partColumns, seed } = p;
          const [sizeA, sizeB, sizeOut] = [batch * m * k, (sharesB ? 1 : batch) * k * n, batch * m * n];
          const buffer = new SharedArrayBuffer(4 * (sizeA + sizeB + 2 * sizeOut));
          const values = new Float32Array(buffer);
          fill(values.subarray(0, sizeA), seed);
          fill(values.subarray(sizeA, sizeA + sizeB), seed + 1);
          const parts = batch * Math.ceil(m / partRows) * Math.ceil(n / partColumns);
          const outs = [native, scalar].map((one, i) => {
            const out = 4 * (sizeA + sizeB + i * sizeOut);
            const rest = [transposeA, transposeB, m * k, sharesB ? 0 : k * n] as const;
            // The reference's in one part.
            const [rows, columns, total] = i === 0 ? [partRows, partColumns, parts] : [m, n, batch];
            one.kernels({ buffer }).matmul(0, total, 0, 4 * sizeA, out, m, k, n, ...rest, rows, columns);
            return new Float32Array(buffer, out, sizeOut);
          });
          const wrong = outs[0]!.findIndex((value, i) => !Object.is(value, outs[1]![i]));
          if (wrong >= 0) expect.fail(`element ${wrong} is ${outs[0]![wrong]}, not ${outs[1]![wrong]}`);
        }),
        { numRuns: 200 },
      );
    });
  });
}
