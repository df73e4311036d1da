import type { NamedTensors } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { key, reference } from '../../test/support.js';
import { fullPrecision } from '../precision.js';
import { dropout, stochasticDepth } from './dropout.js';

const context = { training: true, precision: fullPrecision, key, weights: {} as NamedTensors };

describe('dropout', () => {
  it('drops the given share and scales the rest, so that the mean is kept', () => {
    const { ops, read } = reference('f32');
    const values = read(dropout(ops, ops.full([100, 200], 3), 0.25, 'a', context));
    expect(new Set(values)).toEqual(new Set([0, 4]));
    const share = values.filter((x) => x === 0).length / values.length;
    // Five standard deviations of a share of 20,000.
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 20_000));
  });

  it('draws by name, and hands x on where it is off', () => {
    const { ops, read } = reference('f32');
    const x = ops.full([1000], 1);
    expect(read(dropout(ops, x, 0.5, 'a', context))).not.toEqual(read(dropout(ops, x, 0.5, 'b', context)));
    expect(dropout(ops, x, 0, 'a', context)).toBe(x);
    expect(dropout(ops, x, 0.5, 'a', { ...context, training: false })).toBe(x);
  });
});

describe('stochasticDepth', () => {
  it('skips whole examples and scales the rest', () => {
    const { ops, read } = reference('f32');
    const values = read(stochasticDepth(ops, ops.full([400, 2, 3], 1), 0.5, 'a', context));
    const examples = Array.from({ length: 400 }, (_, i) => new Set(values.subarray(6 * i, 6 * i + 6)));
    expect(examples.every((example) => example.size === 1)).toBe(true);
    const skipped = examples.filter((example) => example.has(0)).length;
    expect(Math.abs(skipped - 200)).toBeLessThan(5 * 10);
    expect(examples.filter((example) => example.has(2)).length).toBe(400 - skipped);
  });
});
