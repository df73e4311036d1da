import { describe, expect, it } from 'vitest';
import {
  broadcastShape,
  broadcastStrides,
  reductionStrides,
  stridedOffsets,
  stridesOf,
  withoutAxes,
} from './strided-offsets.js';

describe('stridedOffsets', () => {
  it('enumerates in row-major order', () => {
    expect([...stridedOffsets([2, 3], stridesOf([2, 3]))]).toEqual([0, 1, 2, 3, 4, 5]);
  });
  it('transposes with permuted strides', () => {
    expect([...stridedOffsets([3, 2], [1, 3])]).toEqual([0, 3, 1, 4, 2, 5]);
  });
  it('slices with a start', () => {
    expect([...stridedOffsets([2, 1], [3, 1], 2)]).toEqual([2, 5]);
  });
  it('repeats along a stride of 0', () => {
    expect([...stridedOffsets([2, 3], broadcastStrides([2, 1], [2, 3]))]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...stridedOffsets([2, 2], reductionStrides([2, 2], [0]))]).toEqual([0, 1, 0, 1]);
  });
  it('has one offset for a scalar and none for an empty shape', () => {
    expect([...stridedOffsets([], [], 7)]).toEqual([7]);
    expect(stridedOffsets([3, 0, 2], [0, 0, 0])).toHaveLength(0);
  });
});

describe('shapes', () => {
  it('broadcasts as NumPy does, extents of 0 included', () => {
    expect(broadcastShape([3, 1], [4])).toEqual([3, 4]);
    expect(broadcastShape([], [2, 1], [1, 5])).toEqual([2, 5]);
    expect(broadcastShape([0], [1])).toEqual([0]);
  });
  it('removes axes', () => {
    expect(withoutAxes([2, 3, 4], [0, 2])).toEqual([3]);
  });
});
