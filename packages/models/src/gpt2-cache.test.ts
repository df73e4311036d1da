import type { Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { errorOf, key, reference, stirred } from '../test/support.js';
import { gpt2, precisionPreset } from './index.js';

const config = { vocabularySize: 13, contextLength: 12, width: 16, depth: 3, heads: 2 };
const tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];

function setUp(storage: 'f32' | 'f64') {
  const { ops, read } = reference(storage);
  const model = gpt2({ ...config, dropout: 0.5, attentionDropout: 0.5 });
  const weights = stirred(ops, model.initialize(ops, 7));
  const batch = (from: number, to: number): Tensor => {
    const part = tokens.slice(from, to);
    return ops.fromData(Int32Array.from([...part, ...part.map((t) => 12 - t)]), [2, to - from]);
  };
  return { ops, read, model, weights, batch };
}

/**
 * Logits of each position by the full forward pass over what comes before it, and by the cache in pieces of these
 * lengths.
 */
function bothWays(storage: 'f32' | 'f64', precisionName: string, pieces: readonly number[]) {
  const { ops, read, model, weights, batch } = setUp(storage);
  const context = { precision: precisionPreset(precisionName), key };
  const before = ops.memory().tensors;
  let cache = {};
  let at = 0;
  const compared: { full: Float64Array; cached: Float64Array }[] = [];
  for (const piece of pieces) {
    const [part, whole] = [batch(at, at + piece), batch(0, at + piece)];
    const step =
      at === 0 ? model.prefill(ops, weights, part, context) : model.decode(ops, weights, part, cache, context);
    ops.dispose(cache);
    cache = step.cache;
    at += piece;
    const full = model.forward(ops, weights, whole, { ...context, training: false });
    const last = ops.slice(full, [0, at - 1, 0], [2, 1, 13]);
    compared.push({ full: read(last), cached: read(step.logits) });
    ops.dispose([part, whole, full, last, step.logits]);
  }
  ops.dispose(cache);
  expect(ops.memory().tensors).toBe(before);
  return compared;
}

const largestDifference = (a: Float64Array, b: Float64Array): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe('prefill and decode', () => {
  it.each([[[4, 1, 1, 1, 1, 1, 1]], [[1, 3, 2, 4]], [[10]]])(
    'equal the full forward pass, in pieces of %j',
    (pieces) => {
      for (const { full, cached } of bothWays('f64', 'fp32', pieces)) {
        expect(largestDifference(cached, full)).toBeLessThan(1e-12);
      }
      // Logits here are of the order of 1; a sum of 16 products in f32, a few layers deep.
      for (const { full, cached } of bothWays('f32', 'fp32', pieces)) {
        expect(largestDifference(cached, full)).toBeLessThan(1e-5);
      }
    },
  );

  it('equal it in low precision to the rounding of the values, which share scales with later ones in the full pass', () => {
    for (const { full, cached } of bothWays('f32', 'bf16', [4, 1, 1, 1])) {
      expect(largestDifference(cached, full)).toBeLessThan(2 ** -6);
    }
    const spread = bothWays('f32', 'mxfp6_e3m2', [4, 1, 1, 1]).map(({ full, cached }) => {
      return largestDifference(cached, full) / Math.max(...full.map(Math.abs));
    });
    expect(spread[0], 'the first piece is the full pass itself').toBe(0);
    expect(Math.max(...spread)).toBeLessThan(0.1);
  });

  it('leave the cache of the caller as it was, and go on from it in two ways', () => {
    const { ops, read, model, weights, batch } = setUp('f32');
    const context = { precision: precisionPreset('fp32'), key };
    const { cache } = model.prefill(ops, weights, batch(0, 3), context);
    expect(cache['blocks.2.value']!.shape).toEqual([2, 2, 3, 8]);
    const first = read(model.decode(ops, weights, batch(3, 4), cache, context).logits);
    model.decode(ops, weights, batch(4, 6), cache, context);
    expect(read(model.decode(ops, weights, batch(3, 4), cache, context).logits)).toEqual(first);
  });

  it('refuse more than the context holds', () => {
    const { ops, model, weights, batch } = setUp('f32');
    const context = { precision: precisionPreset('fp32'), key };
    const { cache } = model.prefill(ops, weights, batch(0, 10), context);
    const error = errorOf(() => model.decode(ops, weights, batch(0, 3), cache, context));
    expect(error).toMatchObject({ code: 'SHAPE_MISMATCH', subject: 'tokens' });
    expect(error.message).toContain('1 to 2 after the 10 in the cache');
  });
});
