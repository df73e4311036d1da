import { describe, expect, it } from 'vitest';
import { roundToBfloat16Stochastically } from '../compositions/round-to-bfloat16.js';
import { adamw, disposeState, streamOf } from '../index.js';
import {
  allValues,
  expectClose,
  follow,
  meanOf,
  pass,
  randomNumbers,
  reloaded,
  tensors,
  testOperations,
  trial,
  values,
} from './test-support.js';

/** Stochastic rounding on the bits of an f32 number: its lower 16 are the fraction of the spacing. */
function roundedByBits(x: number, uniform: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  const isUp = uniform < (bits & 0xffff) / 2 ** 16;
  view.setUint32(0, (bits & 0xffff0000) + (isUp ? 2 ** 16 : 0));
  return view.getFloat32(0);
}

const uniformsOf = async (size: number, vector: string, step: number, seed = 1) => {
  const ops = testOperations();
  return values(ops, ops.randomUniform([size], { seed, stream: streamOf(`w/${vector}`), step, sample: 0 }));
};

describe('roundToBfloat16Stochastically', () => {
  const key = { seed: 3, stream: 5, step: 7, sample: 0 };

  it('gives the bits of integer arithmetic, from subnormals to the largest', async () => {
    const ops = testOperations();
    const random = randomNumbers(3);
    const numbers = Array.from({ length: 4000 }, () => (random() - 0.5) * 2 ** (Math.floor(random() * 276) - 149));
    const given = Float32Array.from([...numbers, 0, -0, 1, -1.5, 2 ** -149, -(2 ** -133), 3.3e38, -3.4028234e38]);
    const uniforms = await values(ops, ops.randomUniform([given.length], key));
    const rounded = await values(ops, roundToBfloat16Stochastically(ops, ops.fromData(given), key));
    const expected = [...given].map((x, i) => roundedByBits(x, uniforms[i]!));
    for (const [i, value] of rounded.entries()) {
      expect(Object.is(value, expected[i]), `${given[i]} became ${value}, expected ${expected[i]}`).toBe(true);
    }
    const isUp = [...given].filter((x, i) => Math.abs(rounded[i]!) > Math.abs(x)).length;
    expect(isUp).toBeGreaterThan(1000);
    expect(isUp).toBeLessThan(3000);
  });

  it('shows a NaN and an infinity, and leaves BF16 numbers alone', async () => {
    const ops = testOperations();
    const given = [Number.NaN, Infinity, -Infinity, 1.0078125, -3, 2 ** -133];
    expect(await values(ops, roundToBfloat16Stochastically(ops, ops.fromData(given), key))).toEqual(given);
  });

  it('is right on average where rounding to nearest is not', async () => {
    const ops = testOperations();
    const x = 1 + 2 ** -9;
    const given = ops.full([20000], x);
    const mean = meanOf(await values(ops, roundToBfloat16Stochastically(ops, given, key)));
    // Standard error of the mean: 2^-7·√(¼·¾)/√20000 = 2.4e-5.
    expect(Math.abs(mean - x)).toBeLessThan(1e-4);
    expect((await values(ops, ops.roundToBfloat16(given)))[0]).toBe(1);
  });
});

describe('adamw with BF16 weights', () => {
  const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 } as const;

  it.each(['f32', 'bf16'] as const)(
    'is AdamW whose results are rounded stochastically; moments in %s',
    async (momentFormat) => {
      const { initial, gradients } = trial(40, 6);
      const rule = adamw({ ...options, weightFormat: 'bf16', momentFormat });
      const size = initial.length;
      // Nearest for the initial weights: with the uniform ½, but for ties, of which random numbers have none.
      let weight = initial.map((w) => roundedByBits(Math.fround(w), 0.5));
      let [first, second] = [initial.map(() => 0), initial.map(() => 0)];
      const ops = testOperations();
      let state = await rule.init(ops, tensors(ops, { w: initial }));
      expect(await values(ops, state.tensors['w/weight']!)).toEqual(weight);
      for (const [step, gradient] of gradients.entries()) {
        const rounded = async (vector: string, exact: number[]) => {
          const uniforms = await uniformsOf(size, vector, step);
          return exact.map((x, i) => ({ x, at: roundedByBits(Math.fround(x), uniforms[i]!) }));
        };
        const { beta1, beta2 } = options;
        const [exactFirst, exactSecond] = [
          first.map((m, i) => beta1 * m + (1 - beta1) * gradient[i]!),
          second.map((v, i) => beta2 * v + (1 - beta2) * gradient[i]! ** 2),
        ];
        const exactWeight = weight.map((w, i) => {
          const deviation = Math.sqrt(exactSecond[i]! / (1 - beta2 ** (step + 1))) + options.epsilon;
          const move = exactFirst[i]! / (1 - beta1 ** (step + 1)) / deviation;
          return w * (1 - options.learningRate * options.weightDecay) - options.learningRate * move;
        });
        state = rule.update(ops, state, [pass(tensors(ops, { w: gradient }), step)]);
        const check = async (vector: string, exact: number[], isRounded: boolean): Promise<number[]> => {
          const got = await values(ops, state.tensors[`w/${vector}`]!);
          if (!isRounded) {
            expectClose(got, exact, 1e-5, 1e-9);
            return got;
          }
          const expected = await rounded(vector, exact);
          // f32 arithmetic may cross a uniform that float64 does not: rare, and then the other neighbour.
          const differing = got.filter((value, i) => value !== expected[i]!.at).length;
          expect(differing, `${vector} in step ${step}`).toBeLessThanOrEqual(1);
          for (const [i, value] of got.entries()) {
            expect(Math.abs(value - expected[i]!.x)).toBeLessThanOrEqual(2 ** -7 * Math.abs(expected[i]!.x) * 1.001);
          }
          return got;
        };
        weight = await check('weight', exactWeight, true);
        first = await check('firstMoment', exactFirst, momentFormat === 'bf16');
        second = await check('secondMoment', exactSecond, momentFormat === 'bf16');
      }
    },
  );

  it('holds BF16 numbers alone, also where a step is smaller than half their spacing, which is taken on average', async () => {
    const rule = adamw({ learningRate: 1e-4, weightDecay: 0, weightFormat: 'bf16', momentFormat: 'bf16' });
    const size = 4000;
    const gradients = Array.from({ length: 20 }, () => Array.from({ length: size }, () => 1));
    const end = await follow(
      rule,
      Array.from({ length: size }, () => 1),
      gradients,
    );
    for (const vector of ['weight', 'firstMoment', 'secondMoment'] as const) {
      for (const value of end[vector]!) expect(value).toBe(roundedByBits(value, 0));
    }
    // 20 steps of 1e-4 from 1, where the spacing below is 2^-8: nearest would not move.
    expect(Math.abs(meanOf(end.weight!) - 0.998)).toBeLessThan(2e-4);
  });

  it('draws other noise for another seed, step and vector, and resumes to the same bits', async () => {
    const ops = testOperations();
    const { initial, gradients } = trial(60, 6);
    const rule = adamw({ ...options, weightFormat: 'bf16', momentFormat: 'bf16' });
    const run = async (from: Awaited<ReturnType<typeof rule.init>>, steps: readonly number[], seed: number) => {
      let state = from;
      for (const step of steps) {
        const given = tensors(ops, { w: gradients[step]! });
        const before = state;
        state = rule.update(ops, state, [pass(given, step, 0, seed)]);
        ops.dispose(given);
        if (before !== from) disposeState(ops, before);
      }
      return state;
    };
    const start = await rule.init(ops, tensors(ops, { w: initial }));
    const half = await run(start, [0, 1, 2], 1);
    const whole = await allValues(ops, (await run(half, [3, 4, 5], 1)).tensors);
    const resumed = await run(await reloaded(ops, half, ops), [3, 4, 5], 1);
    expect(await allValues(ops, resumed.tensors)).toEqual(whole);
    expect(await allValues(ops, (await run(half, [3, 4, 5], 2)).tensors)).not.toEqual(whole);
  });

  it('needs the keys of its passes, which plain AdamW does not', async () => {
    const ops = testOperations();
    const keyless = [{ gradients: tensors(ops, { w: [1, 2] }) } as never];
    const state = await adamw().init(ops, tensors(ops, { w: [1, 2] }));
    expect(adamw().update(ops, state, keyless).step).toBe(1);
    for (const given of [{ weightFormat: 'bf16' }, { momentFormat: 'bf16' }] as const) {
      expect(() => adamw(given).update(ops, state, keyless)).toThrow(/adamw: there is no random key/);
    }
    expect(() => adamw({ weightFormat: 'fp16' } as never)).toThrow(/weightFormat is "fp16"\. Use one of: f32, bf16/);
  });

  it('in f32 is the update of the kernel, to the bit', async () => {
    const { initial, gradients } = trial();
    const ops = testOperations();
    let state = { weights: ops.fromData(initial), firstMoment: ops.zeros([12]), secondMoment: ops.zeros([12]) };
    for (const [step, gradient] of gradients.entries()) {
      state = ops.adamwUpdate(state, ops.fromData(gradient), { ...options, step: step + 1 }) as typeof state;
    }
    const end = await follow(adamw(options), initial, gradients);
    expect(end.weight).toEqual(await values(ops, state.weights));
    expect(end.secondMoment).toEqual(await values(ops, state.secondMoment));
  });
});
