import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { floats, integers, normals, type Values } from '../values.js';
import { attention, attentionGradient } from './attention.js';
import { roundToBfloat16 } from './bfloat16.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';
import { errorFunction, roundTiesToEven } from './elementwise.js';
import { gelu, geluGradient } from './gelu.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { lmdUpdate } from './optimizers.js';
import { softmax, softmaxGradient } from './softmax.js';

const random = new Random(1, 'oracle');

/** Σ dy·dF/dx by central differences, for each element of `x`. */
function differences(x: Values, dy: Values, f: (x: Values) => Values): Float64Array {
  const loss = (i: number, shift: number) => {
    const data = x.data.slice();
    data[i]! += shift;
    return f({ ...x, data }).data.reduce((total, y, j) => total + y * dy.data[j]!, 0);
  };
  return x.data.map((_, i) => (loss(i, 1e-5) - loss(i, -1e-5)) / 2e-5);
}

function expectClose(got: Values, want: Float64Array): void {
  expect(got.data.length).toBe(want.length);
  got.data.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThan(1e-8 * (1 + Math.abs(want[i]!)));
  });
}

describe('the analytic gradients of the oracle are the derivatives of its formulas', () => {
  it('softmax', () => {
    const [x, dy] = [normals(random, [3, 5]), normals(random, [3, 5])];
    expectClose(softmaxGradient(softmax(x), dy), differences(x, dy, softmax));
  });

  it('layerNorm', () => {
    const [x, dy] = [normals(random, [3, 5]), normals(random, [3, 5])];
    const [gain, bias] = [normals(random, [5]), normals(random, [5])];
    const [dx, dGain, dBias] = layerNormGradient(x, gain, dy, 1e-3);
    expectClose(
      dx,
      differences(x, dy, (v) => layerNorm(v, gain, bias, 1e-3)),
    );
    expectClose(
      dGain,
      differences(gain, dy, (v) => layerNorm(x, v, bias, 1e-3)),
    );
    expectClose(
      dBias,
      differences(bias, dy, (v) => layerNorm(x, gain, v, 1e-3)),
    );
  });

  it.each(['none', 'tanh'] as const)('gelu %s', (approximation) => {
    const [x, dy] = [normals(random, [12], 2), normals(random, [12])];
    expectClose(
      geluGradient(x, dy, approximation),
      differences(x, dy, (v) => gelu(v, approximation)),
    );
  });

  it('crossEntropy', () => {
    const [x, dy] = [normals(random, [4, 3]), normals(random, [4])];
    const labels = integers([4], (i) => i % 3);
    expectClose(
      crossEntropyGradient(x, labels, dy),
      differences(x, dy, (v) => crossEntropy(v, labels)),
    );
  });

  it.each([false, true])('attention, causal: %s', (causal) => {
    const options = { scale: 0.7, causal };
    const [query, key] = [normals(random, [1, 2, 3, 4]), normals(random, [1, 2, 3, 4])];
    const [value, dy] = [normals(random, [1, 2, 3, 2]), normals(random, [1, 2, 3, 2])];
    const [dQuery, dKey, dValue] = attentionGradient(query, key, value, dy, options);
    expectClose(
      dQuery,
      differences(query, dy, (v) => attention(v, key, value, options)),
    );
    expectClose(
      dKey,
      differences(key, dy, (v) => attention(query, v, value, options)),
    );
    expectClose(
      dValue,
      differences(value, dy, (v) => attention(query, key, v, options)),
    );
  });
});

describe('scalar functions', () => {
  // From the C library's erf.
  it.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.9999, 0.9953201979070294],
    [2.5, 0.999593047982555],
    [-3, -0.9999779095030014],
    [7, 1],
  ])('erf(%d)', (x, want) => {
    expect(Math.abs(errorFunction(x) - want)).toBeLessThan(2e-15);
  });

  it('erf is continuous where its two series meet', () => {
    expect(Math.abs(errorFunction(2 - 1e-12) - errorFunction(2 + 1e-12))).toBeLessThan(1e-13);
  });

  it('round takes ties to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 8388609].map(roundTiesToEven)).toEqual([0, 2, 2, 0, -2, 0, 8388609]);
  });

  it('BF16 takes ties to even, overflows to infinity and keeps NaN', () => {
    expect(roundToBfloat16(1 + 2 ** -8)).toBe(1);
    expect(roundToBfloat16(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(roundToBfloat16(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
    expect(roundToBfloat16(3.4028234663852886e38)).toBe(Infinity);
    expect(roundToBfloat16(NaN)).toBeNaN();
    expect(Object.is(roundToBfloat16(-0), -0)).toBe(true);
  });
});

describe('lmdUpdate', () => {
  const options = {
    learningRate: 0.1,
    beta1: 0.5,
    beta2: 0.25,
    regularization: 0.5,
    regularizer: 'powerPrior',
    noise: 0,
    gradientScaling: 'sample',
    useSign: true,
  } as const;
  const key = { seed: 0, stream: 0, step: 0, sample: 0 };

  it('follows the rule by hand: without noise θ is the median', () => {
    const one = (value: number) => floats([1], () => value);
    const state = { logPlus: one(0), logMinus: one(0), momentumPlus: one(0), momentumMinus: one(-8) };
    // G+ = 1·2, G− = −1·2; t+ = 1, t− = −4 − 1; l ← 0 − 0.1·(sign t + 0.5).
    const [logPlus, logMinus, momentumPlus, momentumMinus] = lmdUpdate(state, [one(2)], [key], 0, options);
    expect(logPlus!.data[0]).toBeCloseTo(-0.15, 12);
    expect(logMinus!.data[0]).toBeCloseTo(0.05, 12);
    expect(momentumPlus!.data[0]).toBeCloseTo(1.5, 12);
    expect(momentumMinus!.data[0]).toBeCloseTo(-3.5, 12);
  });

  it('averages over samples, and shares one momentum without gradient scaling', () => {
    const one = (value: number) => floats([1], () => value);
    const state = { logPlus: one(1), logMinus: one(2), momentumPlus: one(0) };
    const results = lmdUpdate(state, [one(1), one(3)], [key, key], 0, {
      ...options,
      gradientScaling: 'none',
      useSign: false,
      regularization: 0,
    });
    expect(results.map((values) => values.data[0])).toEqual([1 - 0.1 * 0.5 * 2, 2 + 0.1 * 0.5 * 2, 0.75 * 2]);
  });
});
