import { describe, expect, it } from 'vitest';
import type { Product, ProductEngine } from './engine.js';
import { handOver, slabsOf } from './hand-over.js';

const product = (rows: number, terms: number, columns: number, rest: Partial<Product> = {}): Product => ({
  batch: 1,
  rows,
  terms,
  columns,
  transposeA: false,
  transposeB: false,
  batchA: 1,
  batchB: 1,
  ...rest,
});

function recorder() {
  const calls: { readonly rows: number; readonly a: number; readonly out: number }[] = [];
  const engine: ProductEngine = {
    label: 'recorder',
    threads: 1,
    sharedMemory: true,
    multiply: (_, { rows }, { a, out }) => calls.push({ rows, a, out }),
    close() {},
  };
  return {
    calls,
    handed: (threshold = 20) => handOver(engine, { buffer: new ArrayBuffer(0), grow: () => 0 }, threshold),
  };
}

describe('handOver', () => {
  it('takes products by their shape, those with a column sooner, and all with a threshold of 0', () => {
    const { handed } = recorder();
    const takes = (shape: Product, threshold?: number) => handed(threshold).takes(shape);
    expect(takes(product(128, 128, 128))).toBe(false);
    expect(takes(product(256, 128, 128))).toBe(true);
    expect(takes(product(32, 128, 128, { batch: 8, batchA: 8, batchB: 8 }))).toBe(true);
    expect(takes(product(4096, 64, 1))).toBe(true);
    expect(takes(product(1, 384, 1536))).toBe(false);
    expect(takes(product(1, 384, 50_257))).toBe(true);
    expect(takes(product(1, 1, 1), 0)).toBe(true);
    expect(takes(product(256, 128, 128), 200)).toBe(false);
  });

  it('turns the results of tall gradients, and the left operands of wide ones', () => {
    const { handed } = recorder();
    const turns = (rows: number, terms: number, columns: number, rest?: Partial<Product>) =>
      handed().turns(product(rows, terms, columns, { transposeA: true, ...rest }));
    expect(turns(768, 4160, 192)).toBe('result');
    expect(turns(192, 4160, 768)).toBeUndefined();
    expect(turns(192, 4160, 192)).toBeUndefined();
    expect(turns(768, 500, 192)).toBeUndefined();
    expect(turns(384, 2048, 1536)).toBe('left');
    expect(turns(50_257, 2048, 384)).toBe('result');
    expect(turns(384, 2048, 50_257)).toBe('left');
    expect(turns(384, 2048, 50_257, { transposeA: false })).toBeUndefined();
    expect(turns(768, 4160, 192, { transposeA: false })).toBeUndefined();
    expect(turns(768, 4160, 192, { batch: 2, batchA: 2 })).toBeUndefined();
    expect(turns(2, 100, 1536)).toBeUndefined();
  });

  it('cuts many rows into slabs that cover them', () => {
    const { calls, handed } = recorder();
    handed().multiply(product(5000, 300, 100), { a: 64, b: 0, out: 128 });
    expect(calls.map(({ rows }) => rows)).toEqual([2500, 2500]);
    expect(calls[1]).toEqual({ rows: 2500, a: 64 + 4 * 2500 * 300, out: 128 + 4 * 2500 * 100 });
    expect(slabsOf(product(5000, 10, 10))).toBe(1);
    expect(slabsOf(product(5000, 300, 100, { transposeA: true }))).toBe(1);
    expect(slabsOf(product(1000, 3000, 3000))).toBe(1);
    expect(slabsOf(product(7, 3, 5))).toBe(1);
  });
});
