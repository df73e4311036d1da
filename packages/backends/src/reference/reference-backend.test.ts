import { type FloatTensor, type IntegerTensor, isLmdError, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from './index.js';

const backend = createReferenceBackend();
const exact = createReferenceBackend({ storage: 'f64' });

function f32(values: readonly number[], shape: readonly number[] = [values.length], on = backend): FloatTensor {
  return on.fromData(Float64Array.from(values), shape, 'f32');
}

function i32(values: readonly number[], shape: readonly number[] = [values.length]): IntegerTensor {
  return backend.fromData(Int32Array.from(values), shape, 'i32');
}

/** Values and shape of a result. Object.is semantics of toEqual tell −0 from 0 and keep NaN. */
function contents(x: Tensor, on = backend) {
  return { shape: [...x.shape], values: [...on.readFloat64(x)] };
}

describe('storage', () => {
  it('rounds each result once to float32 by default', () => {
    expect(contents(backend.add(f32([1]), f32([2 ** -30]))).values).toEqual([1]);
    expect(contents(backend.divide(f32([1]), f32([3]))).values).toEqual([Math.fround(1 / 3)]);
  });
  it('rounds nothing with f64', () => {
    const x = f32([1 + 2 ** -40], [1], exact);
    expect(exact.readFloat64(x)[0]).toBe(1 + 2 ** -40);
    expect(exact.readFloat64(exact.divide(f32([1], [1], exact), f32([3], [1], exact)))[0]).toBe(1 / 3);
  });
  it('reads f64 storage as float32', async () => {
    expect(await exact.read(f32([0.1], [1], exact))).toEqual(Float32Array.of(0.1));
  });
  it('copies what it is given and what it gives', async () => {
    const data = Float32Array.of(1, 2);
    const x = backend.fromData(data, [2], 'f32');
    data[0] = 9;
    const read = await backend.read(x);
    read[1] = 9;
    expect(await backend.read(x)).toEqual(Float32Array.of(1, 2));
  });
  it('refuses unknown options and values', () => {
    expect(() => createReferenceBackend({ precision: 'f64' } as never)).toThrow(/no option "precision"/);
    expect(() => createReferenceBackend({ storage: 'f16' } as never)).toThrow(/one of: f32, f64/);
  });
});

describe('memory', () => {
  it('counts handles and shared storage exactly', () => {
    const own = createReferenceBackend();
    const x = own.fromData(new Float32Array(6), [2, 3], 'f32');
    const y = own.reshape(x, [6]);
    const packed = own.full([5], 1, 'u8');
    expect(own.memory()).toEqual({ tensors: 3, bytes: 29 });
    own.dispose(x);
    expect(own.memory()).toEqual({ tensors: 2, bytes: 29 });
    expect([...own.readFloat64(y)]).toEqual([0, 0, 0, 0, 0, 0]);
    own.dispose(y);
    own.dispose(packed);
    expect(own.memory()).toEqual({ tensors: 0, bytes: 0 });
  });
  it('refuses a freed handle and a foreign one', () => {
    const x = f32([1]);
    backend.dispose(x);
    expect(() => backend.readFloat64(x)).toThrow(/Internal error/);
    try {
      exact.exp({ shape: [1], dtype: 'f32' });
      expect.unreachable();
    } catch (error) {
      expect(isLmdError(error, 'INVALID_ARGUMENT')).toBe(true);
    }
  });
});

describe('elementwise', () => {
  it('rounds ties to even and keeps the sign of zero', () => {
    const x = f32([-2.5, -1.5, -0.5, -0.2, 0.5, 1.5, 2.5, 3.5, 2 ** 25 + 4]);
    expect(contents(backend.round(x)).values).toEqual([-2, -2, -0, -0, 0, 2, 2, 4, 2 ** 25 + 4]);
  });
  it('has sign(0) = 0 and keeps NaN', () => {
    expect(contents(backend.sign(f32([-3, 0, 5, Number.NaN]))).values).toEqual([-1, 0, 1, Number.NaN]);
  });
  it('keeps NaN in maximum and minimum', () => {
    const a = f32([Number.NaN, 1, 2]);
    const b = f32([1, Number.NaN, 3]);
    expect(contents(backend.maximum(a, b)).values).toEqual([Number.NaN, Number.NaN, 3]);
    expect(contents(backend.minimum(a, b)).values).toEqual([Number.NaN, Number.NaN, 2]);
  });
  it('broadcasts, empty shapes included', () => {
    const sum = backend.add(f32([1, 2], [2, 1]), f32([10, 20, 30]));
    expect(contents(sum)).toEqual({ shape: [2, 3], values: [11, 21, 31, 12, 22, 32] });
    expect(contents(backend.multiply(f32([], [0, 3]), f32([1])))).toEqual({ shape: [0, 3], values: [] });
  });
  it('compares to i32, false beside a NaN, exact for large integers', () => {
    const greater = backend.greater(f32([1, 3, Number.NaN]), f32([2]));
    expect(greater.dtype).toBe('i32');
    expect(contents(greater).values).toEqual([0, 1, 0]);
    expect(contents(backend.equal(i32([16777217]), i32([16777216]))).values).toEqual([0]);
  });
  it('selects without leaking NaN', () => {
    const chosen = backend.where(i32([2, 0]), f32([1, Number.NaN]), f32([Number.NaN, 4]));
    expect(contents(chosen).values).toEqual([1, 4]);
  });
  it('casts toward zero and saturates', () => {
    const x = f32([-1.9, 1.9, 3e9, -3e9, Number.NaN]);
    expect(contents(backend.cast(x, 'i32')).values).toEqual([-1, 1, 2147483647, -2147483648, 0]);
    expect(contents(backend.cast(i32([16777217]), 'f32')).values).toEqual([16777216]);
  });
});

describe('reductions', () => {
  const x = f32([1, 5, 3, 4, Number.NaN, 6], [2, 3]);
  it('sums and takes maxima over any axes', () => {
    expect(contents(backend.max(x, [0]))).toEqual({ shape: [3], values: [4, Number.NaN, 6] });
    expect(contents(backend.sum(f32([1, 2, 3, 4, 5, 6], [2, 3]), [1]))).toEqual({ shape: [2], values: [6, 15] });
    expect(contents(backend.sum(f32([1, 2, 3, 4], [2, 2]), [0, 1]))).toEqual({ shape: [], values: [10] });
    expect(contents(backend.sum(f32([], [0, 2]), [0])).values).toEqual([0, 0]);
  });
  it('sums in float64', () => {
    expect(contents(backend.sum(f32([1e8, 1, -1e8]), [0])).values).toEqual([1]);
  });
  it('finds the first maximum', () => {
    expect(contents(backend.argMax(f32([1, 5, 5, 4, 0, 4], [2, 3]), 1)).values).toEqual([1, 0]);
    expect(contents(backend.argMax(x, 1)).values).toEqual([1, 1]);
    expect(contents(backend.argMax(f32([1, 5, 5, 4, 0, 4], [2, 3]), 0))).toEqual({ shape: [3], values: [1, 0, 0] });
  });
});

describe('matmul', () => {
  it('multiplies with every combination of flags', () => {
    const a = { plain: f32([1, 2, 3, 4, 5, 6], [1, 2, 3]), turned: f32([1, 4, 2, 5, 3, 6], [1, 3, 2]) };
    const b = { plain: f32([1, 2, 3, 4, 5, 6], [1, 3, 2]), turned: f32([1, 3, 5, 2, 4, 6], [1, 2, 3]) };
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const left = transposeA ? a.turned : a.plain;
        const product = backend.matmul(left, transposeB ? b.turned : b.plain, transposeA, transposeB);
        expect(contents(product)).toEqual({ shape: [1, 2, 2], values: [22, 28, 49, 64] });
      }
    }
  });
  it('shares a batch of 1, keeps NaN, and gives zeros for an empty sum', () => {
    const shared = backend.matmul(f32([1, 2], [2, 1, 1]), f32([3, 4], [1, 1, 2]), false, false);
    expect(contents(shared)).toEqual({ shape: [2, 1, 2], values: [3, 4, 6, 8] });
    expect(contents(backend.matmul(f32([0], [1, 1, 1]), f32([Infinity], [1, 1, 1]), false, false)).values).toEqual([
      Number.NaN,
    ]);
    const empty = backend.matmul(f32([], [1, 2, 0]), f32([], [1, 0, 2]), false, false);
    expect(contents(empty)).toEqual({ shape: [1, 2, 2], values: [0, 0, 0, 0] });
  });
});

describe('shape operations', () => {
  const x = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  it('transposes, slices, pads, joins and broadcasts', () => {
    expect(contents(backend.transpose(x, [1, 0]))).toEqual({ shape: [3, 2], values: [1, 4, 2, 5, 3, 6] });
    expect(contents(backend.slice(x, [0, 1], [2, 2]))).toEqual({ shape: [2, 2], values: [2, 3, 5, 6] });
    expect(contents(backend.pad(f32([1, 2]), [1], [2]))).toEqual({ shape: [5], values: [0, 1, 2, 0, 0] });
    const joined = backend.concatenate([x, f32([7, 8], [2, 1])], 1);
    expect(contents(joined)).toEqual({ shape: [2, 4], values: [1, 2, 3, 7, 4, 5, 6, 8] });
    expect(contents(backend.broadcastTo(f32([1, 2]), [2, 2])).values).toEqual([1, 2, 1, 2]);
  });
  it('gathers rows, NaN for an index out of range', () => {
    const rows = backend.gather(x, i32([1, -1, 2, 0], [2, 2]));
    const missing = [Number.NaN, Number.NaN, Number.NaN];
    expect(contents(rows)).toEqual({ shape: [2, 2, 3], values: [4, 5, 6, ...missing, ...missing, 1, 2, 3] });
  });
  it('adds up repeated indices and ignores those out of range', () => {
    const added = backend.scatterAdd(i32([1, 1, 5, -1]), f32([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]), 3);
    expect(contents(added)).toEqual({ shape: [3, 2], values: [0, 0, 4, 6, 0, 0] });
  });
});
