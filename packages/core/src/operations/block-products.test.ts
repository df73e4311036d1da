import { describe, expect, it } from 'vitest';
import {
  type BlockFormat,
  createOperations,
  type ElementFormat,
  type ErrorCode,
  hasExactProducts,
  integerElement,
} from '../index.js';
import { createTestBackend, errorOf } from '../testing/index.js';

const float = (name: string, exponentBits: number, mantissaBits: number, largest: number): ElementFormat => {
  const bias = 2 ** (exponentBits - 1) - 1;
  const emin = 1 - bias;
  return {
    name,
    kind: 'float',
    bits: 1 + exponentBits + mantissaBits,
    exponentBits,
    mantissaBits,
    bias,
    emax: Math.floor(Math.log2(largest)),
    emin,
    largest,
    hasInfinity: false,
    hasNaN: name === 'e4m3' || name === 'e5m2',
  };
};
const int8: ElementFormat = { ...float('int8', 0, 6, 127 / 64), kind: 'int', bits: 8, bias: 0, emin: 0 };
const blocks = (element: ElementFormat, blockSize = 32, scale = 'e8m0'): BlockFormat => ({
  name: `${element.name}_${blockSize}`,
  element,
  blockSize,
  scale,
});
const e2m1 = float('e2m1', 2, 1, 6);
const e2m3 = float('e2m3', 2, 3, 7.5);
const e3m2 = float('e3m2', 3, 2, 28);
const e4m3 = float('e4m3', 4, 3, 448);
const mxfp4 = blocks(e2m1);

describe('hasExactProducts', () => {
  it('knows elements as integers', () => {
    expect([e2m1, e2m3, e3m2, int8].map(integerElement)).toEqual([
      { unitExponent: -1, largest: 12 },
      { unitExponent: -3, largest: 60 },
      { unitExponent: -4, largest: 448 },
      { unitExponent: -6, largest: 128 },
    ]);
  });

  it('holds where the sums of a block fit 24 bits, and blocks pair', () => {
    for (const a of [e2m1, e2m3, e3m2, int8]) {
      for (const b of [e2m1, e2m3, e3m2, int8]) expect(hasExactProducts(blocks(a), blocks(b))).toBe(true);
    }
    expect(hasExactProducts(blocks(e2m1, 16, 'e4m3'), mxfp4)).toBe(true);
    expect(hasExactProducts(blocks(e2m1, 16, 'e4m3'))).toBe(true);
    // 32 · 448² is 2^22.6: four such blocks in one are too much.
    expect(hasExactProducts(blocks(e3m2, 64))).toBe(true);
    expect(hasExactProducts(blocks(e3m2, 128))).toBe(false);
    expect(hasExactProducts(blocks(e3m2, 128), blocks(e2m1, 128))).toBe(true);
    expect(hasExactProducts(blocks(e2m1, 24), mxfp4)).toBe(false);
    expect(hasExactProducts(blocks(e2m1, 512))).toBe(false);
    expect(hasExactProducts(blocks(e4m3))).toBe(false);
    expect(hasExactProducts(blocks(float('e5m2', 5, 2, 57344)))).toBe(false);
    expect(hasExactProducts(blocks(e2m1, 32, 'f32'))).toBe(false);
  });
});

describe('exact products of encoded operands', () => {
  it('are put together from primitives, free what they made, and decode to values', async () => {
    const backend = createTestBackend();
    const ops = createOperations(backend);
    const x = ops.fromData([1, 2, -3, 6, 0.5, 4], [2, 3]);
    const w = ops.fromData([1, 0, -2, 1, 0, 3], [3, 2]);
    const before = backend.memory().tensors;
    const y = ops.scope(() => {
      const a = ops.encodeOperand(x, { format: mxfp4, axis: -1 });
      const b = ops.encodeOperand(w, { format: mxfp4, axis: 0 });
      return { product: ops.blockMatmul(a, b), a: ops.decodeOperand(a), b: ops.decodeOperand(b) };
    });
    expect(backend.memory().tensors).toBe(before + 3);
    expect([...(await ops.read(y.product))]).toEqual([1 - 4, 2 - 9, 6 - 1, 0.5 + 12]);
    expect([...(await ops.read(y.a))]).toEqual([1, 2, -3, 6, 0.5, 4]);
    expect(y.b.shape).toEqual([3, 2]);
    expect([...(await ops.read(y.b))]).toEqual([1, 0, -2, 1, 0, 3]);
  });

  it('take leading axes as matmul does, and operands without elements', () => {
    const ops = createOperations(createTestBackend());
    const encoded = (shape: number[], axis = -1) => ops.encodeOperand(ops.full(shape, 1), { format: mxfp4, axis });
    expect(ops.blockMatmul(encoded([2, 3, 4, 8]), encoded([2, 3, 5, 8])).shape).toEqual([2, 3, 4, 5]);
    expect(ops.blockMatmul(encoded([2, 3, 4, 8]), encoded([8, 5], 0)).shape).toEqual([2, 3, 4, 5]);
    expect(ops.blockMatmul(encoded([4, 8]), encoded([6, 5, 8])).shape).toEqual([6, 4, 5]);
    expect(ops.blockMatmul(encoded([4, 0]), encoded([5, 0])).shape).toEqual([4, 5]);
    expect(ops.blockMatmul(encoded([0, 8]), encoded([5, 8])).shape).toEqual([0, 5]);
    expect(ops.decodeOperand(encoded([0, 8])).shape).toEqual([0, 8]);
  });

  it('refuse what they cannot compute, by name', () => {
    const ops = createOperations(createTestBackend());
    const x = ops.zeros([4, 8]);
    const encode = (format: BlockFormat, axis = -1, of = x) => ops.encodeOperand(of, { format, axis });
    const own = encode(mxfp4);
    for (const [run, code, message] of [
      [() => encode(blocks(e4m3)), 'UNSUPPORTED', /"e4m3_32" has no exact products/],
      [() => encode(mxfp4, -1, ops.zeros([8])), 'INVALID_ARGUMENT', /axis 0 of a tensor of shape \[8\]/],
      [() => encode(mxfp4, 0, ops.zeros([2, 4, 8])), 'INVALID_ARGUMENT', /axis 0/],
      [() => encode(blocks(e2m1, 16, 'e4m3')), 'UNSUPPORTED', /scales of kind "e4m3"/],
      [() => ops.blockMatmul(own, encode(blocks(e2m1, 24))), 'UNSUPPORTED', /"e2m1_32" and "e2m1_24"/],
      [() => ops.blockMatmul(own, encode(mxfp4, -1, ops.zeros([4, 7]))), 'SHAPE_MISMATCH', /8 and 7 differ/],
      [
        () => ops.blockMatmul(encode(mxfp4, -1, ops.zeros([2, 4, 8])), encode(mxfp4, -1, ops.zeros([3, 4, 8]))),
        'SHAPE_MISMATCH',
        /leading axes/,
      ],
    ] as readonly [() => unknown, ErrorCode, RegExp][]) {
      expect(errorOf(run)).toMatchObject({ code, message: expect.stringMatching(message) });
    }
    ops.dispose(own.tensors);
    expect(errorOf(() => ops.blockMatmul(own, own)).code).toBe('TENSOR_DISPOSED');
  });
});
