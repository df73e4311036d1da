import { describe, expect, it } from 'vitest';
import { errorOf } from '../test/support.js';
import { type SamplingOptions, sampleToken } from './sampling.js';

const logits = Float32Array.from([0.5, 0.1, 0.2, 0.15, 0.05].map(Math.log));

/** How often each token comes in 4,000 draws. */
function shares(options: Parameters<typeof sampleToken>[1]): number[] {
  const counts = logits.map(() => 0);
  for (let position = 0; position < 4000; position++) {
    counts[sampleToken(logits, options, { seed: 3, position })]! += 1;
  }
  return [...counts].map((count) => count / 4000);
}

function expectShares(actual: readonly number[], expected: readonly number[]): void {
  expected.forEach((p, token) => {
    // Five standard deviations; none at all where the probability is 0.
    expect(Math.abs(actual[token]! - p), `token ${token}`).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / 4000));
  });
}

describe('sampleToken', () => {
  it('draws by the probabilities', () => {
    expectShares(shares({}), [0.5, 0.1, 0.2, 0.15, 0.05]);
  });

  it('draws from the k most likely', () => {
    expectShares(shares({ topK: 2 }), [5 / 7, 0, 2 / 7, 0, 0]);
    expectShares(shares({ topK: 1 }), [1, 0, 0, 0, 0]);
    expectShares(shares({ topK: 99 }), [0.5, 0.1, 0.2, 0.15, 0.05]);
  });

  it('draws from the fewest that reach p', () => {
    expectShares(shares({ topP: 0.6 }), [5 / 7, 0, 2 / 7, 0, 0]);
    expectShares(shares({ topP: 0.8 }), [0.5 / 0.85, 0, 0.2 / 0.85, 0.15 / 0.85, 0]);
    expectShares(shares({ topP: 1e-9 }), [1, 0, 0, 0, 0]);
    expectShares(shares({ topK: 2, topP: 0.6 }), [1, 0, 0, 0, 0]);
  });

  it('sharpens and flattens by the temperature', () => {
    const squares = [0.25, 0.01, 0.04, 0.0225, 0.0025].map((x) => x / 0.325);
    expectShares(shares({ temperature: 0.5 }), squares);
    expectShares(shares({ temperature: 0 }), [1, 0, 0, 0, 0]);
    expectShares(shares({ temperature: 1e6 }), [0.2, 0.2, 0.2, 0.2, 0.2]);
  });

  it('makes tokens of the text rarer by the penalty, whatever the sign of their logits', () => {
    const draw = (options: SamplingOptions, text: readonly number[]) =>
      sampleToken([2, 1.5, -1, -1.5], { temperature: 0, ...options }, { seed: 1, position: 0, text });
    expect(draw({}, [0, 0])).toBe(0);
    expect(draw({ repetitionPenalty: 1.3 }, [0, 0])).toBe(0);
    expect(draw({ repetitionPenalty: 1.4 }, [0])).toBe(1);
    // However often a token is there: 2 / 1.4 > 1.
    expect(draw({ repetitionPenalty: 1.4 }, [0, 0, 1])).toBe(0);
    expect(draw({ repetitionPenalty: 1e9 }, [0, 1])).toBe(0);
    expect(sampleToken([-1, -1.5], { temperature: 0, repetitionPenalty: 2 }, { seed: 1, position: 0, text: [0] })).toBe(
      1,
    );
  });

  it('takes lower tokens first among equals, and never an impossible one', () => {
    const key = { seed: 1, position: 0 };
    expect(sampleToken([1, 2, 2, 2], { temperature: 0 }, key)).toBe(1);
    expect(sampleToken([1, 2, 2, 2], { topK: 1 }, key)).toBe(1);
    for (let position = 0; position < 50; position++) {
      const token = sampleToken([Number.NEGATIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY], {}, { seed: 1, position });
      expect([1, 2]).toContain(token);
    }
    expect(() => sampleToken([0, Number.NaN], {}, key)).toThrow('token 1 is NaN');
  });

  it.each([
    ['a NaN', [0, Number.NaN]],
    ['a NaN that is not the first', [3, 2, Number.NaN, 1]],
    ['NaN alone', [Number.NaN, Number.NaN]],
    ['an infinite logit', [0, Number.POSITIVE_INFINITY]],
    ['no possible token', [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['no logit', []],
  ])('refuses %s, whatever the options', (_, logits) => {
    for (const options of [{}, { temperature: 0 }, { topK: 1 }, { topP: 0.5 }, { repetitionPenalty: 2 }]) {
      expect(errorOf(() => sampleToken(logits, options, { seed: 1, position: 0, text: [0] }))).toMatchObject({
        code: 'NON_FINITE',
        subject: 'logits',
      });
    }
  });

  it.each([
    { temperature: Number.NaN },
    { temperature: Number.POSITIVE_INFINITY },
    { topK: 0 },
    { topP: 1.5 },
    { repetitionPenalty: -1 },
  ])('refuses %j', (options) => {
    expect(errorOf(() => sampleToken([1, 2], options, { seed: 1, position: 0 }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: Object.keys(options)[0],
    });
  });
});
