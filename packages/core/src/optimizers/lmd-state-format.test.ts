import { describe, expect, it } from 'vitest';
import { disposeState, type LmdOptions, lmd, lmdLogMedians, type OptimizerState, stateBytes } from '../index.js';
import { descend, expectClose, meanOf, pass, randomNumbers, reloaded, testOperations, values } from './test-support.js';

const formats: readonly (readonly [string, LmdOptions])[] = [
  ['block16', { stateFormat: 'block16' }],
  ['block16, one momentum', { stateFormat: 'block16', gradientScaling: 'none' }],
  ['block8, one momentum', { stateFormat: 'block8', gradientScaling: 'none' }],
];

const initialOf = (size: number) => {
  const random = randomNumbers(11);
  return Float32Array.from({ length: size }, () => 0.04 * (random() - 0.5));
};

describe.each(formats)('a state of lmd in %s', (_, options) => {
  it('is the initial weights, to the spacing of its codes', async () => {
    const ops = testOperations();
    const size = 300;
    const initial = initialOf(size);
    const rule = lmd(options);
    const state = await rule.init(ops, { w: ops.fromData(initial) });
    const got = await values(ops, rule.weights(ops, state).w!);
    // |log (m/m₀)| is at most 2 here: the scale is 2 over the levels, rounded up to a power of two.
    const spacing = options.stateFormat === 'block16' ? 2 ** -14 : 2 ** -6;
    const largest = Math.max(...initial.map(Math.abs));
    for (const [i, w] of got.entries()) expect(Math.abs(w - initial[i]!)).toBeLessThan(2 * spacing * largest);
  });

  it('resumes from a copy to the bit', async () => {
    const initial = initialOf(200);
    const gradientOf = (step: number) => {
      const random = randomNumbers(100 + step);
      return Float32Array.from(initial, () => random() - 0.5);
    };
    const steps = async (
      ops: ReturnType<typeof testOperations>,
      from: OptimizerState,
      count: number,
    ): Promise<OptimizerState> => {
      let state = from;
      for (let i = 0; i < count; i++) {
        const old = state;
        state = ops.scope(() =>
          lmd(options).update(ops, old, [pass({ w: ops.fromData(gradientOf(old.step)) }, old.step)]),
        );
        disposeState(ops, old);
      }
      return state;
    };
    const [one, other] = [testOperations(), testOperations()];
    const start = await lmd(options).init(one, { w: one.fromData(initial) });
    const half = await steps(one, start, 5);
    const copy = await reloaded(one, half, other);
    const [whole, resumed] = [await steps(one, half, 6), await steps(other, copy, 6)];
    for (const [name, tensor] of Object.entries(whole.tensors)) {
      expect(await values(other, resumed.tensors[name]!)).toEqual(await values(one, tensor));
    }
  });

  it('moves a median by its step on average, however small beside the spacing of the codes', async () => {
    // One step of a = 1e-5 · sign, where a code is 6e-5 or more wide: to nearest, no median would move.
    const ops = testOperations();
    const size = 3000;
    const a = 1e-5;
    const rule = lmd({ ...options, learningRate: a, regularization: 0, noise: 0 });
    let state = await rule.init(ops, { w: ops.full([size], 0.02) });
    const before = await values(ops, lmdLogMedians(ops, state, 'w').logPlus);
    const steps = 8;
    for (let step = 0; step < steps; step++) {
      const old = state;
      state = ops.scope(() => rule.update(ops, old, [pass({ w: ops.full([size], 1) }, step)]));
      disposeState(ops, old);
    }
    const after = await values(ops, lmdLogMedians(ops, state, 'w').logPlus);
    const moves = before.map((l, i) => l - after[i]!);
    const spacing = options.stateFormat === 'block16' ? 2 ** -14 : 2 ** -6;
    const deviation = Math.sqrt((steps * a * spacing) / size);
    expect(Math.abs(meanOf(moves) - steps * a)).toBeLessThan(4 * deviation);
    expect(new Set(after).size).toBeLessThan(10);
  });

  it('learns as the f32 state does', async () => {
    const size = 256;
    const random = randomNumbers(5);
    const target = Float32Array.from({ length: size }, () => random() - 0.5);
    const noisy = { regularization: 0.02, learningRate: (step: number) => 0.04 * 0.985 ** step, noise: 0.02 };
    const lossWith = async (more: LmdOptions) => {
      const ops = testOperations();
      const goal = ops.fromData(target);
      const rule = lmd({ ...options, ...noisy, ...more });
      const initial = ops.multiply(ops.randomNormal([size], { seed: 2, stream: 1, step: 0, sample: 0 }), 0.1);
      const lossOf = async (state: OptimizerState) => {
        const distance = ops.subtract(rule.weights(ops, state).w!, goal);
        return (await values(ops, ops.mean(ops.multiply(distance, distance))))[0]!;
      };
      const before = await lossOf(await rule.init(ops, { w: initial }));
      return (await lossOf(await descend(ops, rule, initial, 300, (w) => ops.subtract(w, goal)))) / before;
    };
    const [plain, lean] = [await lossWith({ stateFormat: 'f32' }), await lossWith({})];
    expect(plain).toBeLessThan(0.02);
    expect(lean).toBeLessThan(options.stateFormat === 'block16' ? 1.1 * plain : plain + 0.01);
  });
});

describe('the state formats of lmd', () => {
  it.each([
    [{}, 16],
    [{ gradientScaling: 'none' }, 12],
    [{ stateFormat: 'block16' }, 8 + (4 * 4) / 128],
    [{ stateFormat: 'block16', gradientScaling: 'none' }, 8 + (3 * 4) / 128],
    [{ stateFormat: 'block8', gradientScaling: 'none' }, 4 + (3 * 4) / 128],
  ] as const)('%o takes %d bytes a weight', async (options, bytes) => {
    const ops = testOperations();
    const state = await lmd(options).init(ops, { w: ops.fromData(initialOf(4096), [32, 128]) });
    // The scalar log m₀ is shared by the tensor.
    expect((stateBytes(state) - 4) / 4096).toBe(bytes);
  });

  it('in BF16 rounded to nearest, medians would stall, which is why codes round stochastically', async () => {
    // At log m = −4, neighbours in BF16 are 2^-5 above it and 2^-6 below: a step of 0.005 is less than half of either.
    const ops = testOperations();
    const a = 0.005;
    let rounded = ops.full([4], -4);
    const still = { regularization: 0, noise: 0, priorMedianFloor: 0.5 };
    const rule = lmd({ stateFormat: 'block8', gradientScaling: 'none', learningRate: a, ...still });
    // c·s = exp(−4)/2 and w = exp(−4)/2, so that log m⁺ = −4.
    let state = await rule.init(ops, { w: ops.full([128], Math.exp(-4) * (2 / 3)) });
    const before = meanOf(await values(ops, lmdLogMedians(ops, state, 'w').logPlus));
    expectClose([before], [-4], 2e-3);
    const gradient = ops.full([128], -1);
    for (let step = 0; step < 100; step++) {
      rounded = ops.roundToBfloat16(ops.add(rounded, a));
      state = rule.update(ops, state, [pass({ w: gradient }, step)]);
    }
    expect(await values(ops, rounded)).toEqual([-4, -4, -4, -4]);
    const after = meanOf(await values(ops, lmdLogMedians(ops, state, 'w').logPlus));
    expect(Math.abs(after - before - 100 * a)).toBeLessThan(0.05);
  });

  it('refuses block8 with two momenta, and formats it does not know, by name', () => {
    expect(() => lmd({ stateFormat: 'block8' })).toThrow(/stateFormat is "block8" with gradientScaling "sample"/);
    expect(() => lmd({ stateFormat: 'fp4' as never })).toThrow(/stateFormat is "fp4".*f32, block16, block8/);
  });

  it("refuses a state in another format than the rule's", async () => {
    const ops = testOperations();
    const state = await lmd().init(ops, { w: ops.fromData(initialOf(8)) });
    const key = { seed: 1, step: 0, sample: 0 };
    expect(() => lmd({ stateFormat: 'block16' }).draw(ops, state, key)).toThrow(/does not belong to this optimizer/);
  });
});
