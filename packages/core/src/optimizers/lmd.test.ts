import { describe, expect, it } from 'vitest';
import { disposeState, type EagerOperations, type LmdOptions, lmd, type OptimizerState } from '../index.js';
import {
  allValues,
  expectClose,
  pass,
  randomNumbers,
  reloaded,
  tensors,
  testOperations,
  values,
} from './test-support.js';

const key = { seed: 11, step: 0, sample: 0 };

const vector = async (ops: EagerOperations, state: OptimizerState, name: string) =>
  await values(ops, state.tensors[`w/${name}`]!);

describe('initial state of lmd', () => {
  const initial = [0.3, -1.2, 0, 0.004, 2, -0.7];
  const rms = Math.sqrt(initial.reduce((sum, w) => sum + w * w, 0) / initial.length);

  it.each([0, 0.05, 0.2, 1])('has the initial weights as its mean, for σ = %s', async (noise) => {
    const ops = testOperations();
    const rule = lmd({ noise, priorMedianFloor: 0.5 });
    const state = await rule.init(ops, tensors(ops, { w: initial }));
    // Each half carries the rounding of a logarithm and an exponential.
    expectClose((await allValues(ops, rule.weights(ops, state))).w!, initial, 1e-6, 1e-6 * rms);
    expectClose(
      (await allValues(ops, rule.weights(ops, state, 'median'))).w!,
      initial.map((w) => w * Math.exp(-(noise ** 2) / 2)),
      1e-6,
      1e-6 * rms,
    );
  });

  it('is m± = exp(−σ²/2)·(max(±w₀, 0) + c·s) and m₀ = exp(−σ²/2)·c·s, without momentum', async () => {
    const ops = testOperations();
    const [noise, floor] = [0.3, 0.7];
    const state = await lmd({ noise, priorMedianFloor: floor }).init(ops, tensors(ops, { w: initial }));
    const shift = -(noise ** 2) / 2;
    const half = (sign: number) => initial.map((w) => Math.log(Math.max(sign * w, 0) + floor * rms) + shift);
    expectClose(await vector(ops, state, 'logPlus'), half(1), 1e-6, 1e-6);
    expectClose(await vector(ops, state, 'logMinus'), half(-1), 1e-6, 1e-6);
    expectClose(await vector(ops, state, 'logPriorMedian'), [Math.log(floor * rms) + shift], 1e-6, 1e-6);
    expect(await vector(ops, state, 'momentumPlus')).toEqual(initial.map(() => 0));
    expect(await vector(ops, state, 'momentumMinus')).toEqual(initial.map(() => 0));
    expect(state.tensors['w/logPriorMedian']!.shape).toEqual([]);
    expect(state.step).toBe(0);
  });

  it('keeps three vectors a weight without gradient scaling', async () => {
    const ops = testOperations();
    const state = await lmd({ gradientScaling: 'none' }).init(ops, tensors(ops, { w: initial }));
    expect(Object.keys(state.tensors)).toEqual(['w/logPlus', 'w/logMinus', 'w/momentumPlus', 'w/logPriorMedian']);
  });

  it('takes the prior median from the options, for all or by name, and leaves the weights alone', async () => {
    const ops = testOperations();
    const weights = tensors(ops, { w: initial, v: [1, 1] });
    const start = { priorMedianFloor: 0.5, noise: 0.05 };
    const plain = await lmd(start).init(ops, weights);
    for (const priorMedian of [0.25, { w: 0.25 }]) {
      const rule = lmd({ ...start, priorMedian });
      const state = await rule.init(ops, weights);
      expectClose(await vector(ops, state, 'logPriorMedian'), [Math.log(0.25)], 1e-6);
      expect(await vector(ops, state, 'logPlus')).toEqual(await vector(ops, plain, 'logPlus'));
      const other = await values(ops, state.tensors['v/logPriorMedian']!);
      expectClose(other, [typeof priorMedian === 'number' ? Math.log(0.25) : Math.log(0.5) - 0.00125], 1e-6);
    }
    await expect(lmd({ priorMedian: { u: 1 } }).init(ops, weights)).rejects.toThrow(
      /names "u", which is not one of the weights.*w, v/,
    );
  });

  it.each([
    ['only zeros', [0, 0]],
    ['a NaN', [1, Number.NaN]],
    ['an infinity', [1, Infinity]],
  ])('refuses weights with %s, by name, and leaks nothing', async (_, bad) => {
    const ops = testOperations();
    const weights = tensors(ops, { good: [1, 2], bad });
    await expect(lmd().init(ops, weights)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'bad',
      remedy: expect.stringMatching(/Initialise "bad".*AdamW group/),
    });
    expect(ops.memory().tensors).toBe(2);
  });
});

describe('draws of lmd', () => {
  const size = 20_000;
  const weight = 0.4;
  const noise = 0.3;

  async function constantWeights(options: LmdOptions = {}) {
    const ops = testOperations();
    const rule = lmd({ noise, priorMedianFloor: 0.5, ...options });
    const state = await rule.init(ops, { w: ops.full([size], weight), v: ops.full([size], weight) });
    return { ops, rule, state };
  }

  it('have the mean and variance of a difference of independent log-normals', async () => {
    const { ops, rule, state } = await constantWeights();
    const drawn = (await allValues(ops, rule.draw(ops, state, key))).w!;
    const [m1, m2] = [1.5, 0.5].map((factor) => factor * weight * Math.exp(-(noise ** 2) / 2));
    const mean = Math.exp(noise ** 2 / 2) * (m1! - m2!);
    const variance = (m1! ** 2 + m2! ** 2) * Math.exp(noise ** 2) * (Math.exp(noise ** 2) - 1);
    const sampleMean = drawn.reduce((sum, w) => sum + w, 0) / size;
    const sampleVariance = drawn.reduce((sum, w) => sum + (w - sampleMean) ** 2, 0) / (size - 1);
    // Five standard errors; that of the variance is taken for a kurtosis of 4.5, above this law's.
    expect(Math.abs(sampleMean - mean)).toBeLessThan(5 * Math.sqrt(variance / size));
    expect(Math.abs(sampleVariance / variance - 1)).toBeLessThan(5 * Math.sqrt(3.5 / size));
  });

  it('are a function of seed, step, sample and name', async () => {
    const { ops, rule, state } = await constantWeights();
    const draw = async (change: object) => await allValues(ops, rule.draw(ops, state, { ...key, ...change }));
    const first = await draw({});
    expect(await draw({})).toEqual(first);
    const others = [
      first.v!,
      (await draw({ seed: 12 })).w!,
      (await draw({ step: 1 })).w!,
      (await draw({ sample: 1 })).w!,
    ];
    const centre = (list: readonly number[]) => list.map((w) => w - weight);
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const reference = centre(first.w!);
    for (const other of others.map(centre)) {
      const correlation = dot(reference, other) / Math.sqrt(dot(reference, reference) * dot(other, other));
      expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(size));
    }
  });

  it('are the medians without noise, whatever the key', async () => {
    const { ops, rule, state } = await constantWeights({ noise: 0 });
    const drawn = await allValues(ops, rule.draw(ops, state, key));
    expect(await allValues(ops, rule.draw(ops, state, { seed: 5, step: 3, sample: 1 }))).toEqual(drawn);
    expectClose(drawn.w!.slice(0, 10), Array(10).fill(weight), 1e-6);
  });

  it('average to the sample weights for evaluation, disjoint for each sample of the key', async () => {
    const { ops, rule, state } = await constantWeights({ evaluationSamples: 3 });
    const average = (await allValues(ops, rule.weights(ops, state, 'sample', { ...key, sample: 2 }))).w!;
    const draws = await Promise.all(
      [6, 7, 8].map(async (sample) => (await allValues(ops, rule.draw(ops, state, { ...key, sample }))).w!),
    );
    expectClose(
      average,
      average.map((_, i) => (draws[0]![i]! + draws[1]![i]! + draws[2]![i]!) / 3),
      1e-5,
    );
  });

  it('are asked for with a key, and by a known kind', async () => {
    const ops = testOperations();
    const rule = lmd({ evaluation: 'sample' });
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    expect(() => rule.weights(ops, state)).toThrow(/need a key/);
    expect(() => rule.weights(ops, state, 'mode' as never)).toThrow(
      /kind is "mode"\. Use one of: mean, median, sample/,
    );
    const drawn = lmd().draw(ops, state, key);
    expect(await allValues(ops, rule.weights(ops, state, undefined, key))).toEqual(await allValues(ops, drawn));
  });
});

describe('memory of lmd', () => {
  it.each(['sample', 'none'] as const)('is only what it returns, with gradient scaling %s', async (gradientScaling) => {
    const ops = testOperations();
    const rule = lmd({ gradientScaling, samples: 2, evaluationSamples: 3 });
    const weights = tensors(ops, { a: [1, 2], b: [-1] });
    const perWeight = gradientScaling === 'sample' ? 5 : 4;
    let held = 2;
    const expectHeld = (more: number) => {
      held += more;
      expect(ops.memory().tensors).toBe(held);
    };
    const state = await rule.init(ops, weights);
    expectHeld(2 * perWeight);
    const next = rule.update(ops, state, [pass(weights, 0, 0), pass(weights, 0, 1)]);
    expectHeld(2 * perWeight);
    // The old state goes whole, and the new one is untouched by that.
    disposeState(ops, state);
    expectHeld(-2 * perWeight);
    for (const make of [
      () => rule.draw(ops, next, key),
      () => rule.weights(ops, next, 'mean'),
      () => rule.weights(ops, next, 'median'),
      () => rule.weights(ops, next, 'sample', key),
    ]) {
      const made = make();
      expectHeld(2);
      for (const list of Object.values(await allValues(ops, made)))
        for (const value of list) expect(value).not.toBeNaN();
      ops.dispose(made);
      expectHeld(-2);
    }
    disposeState(ops, next);
    ops.dispose(weights);
    expect(ops.memory().tensors).toBe(0);
  });

  it('refuses a draw, and an update, without the key of a draw', async () => {
    const ops = testOperations();
    const rule = lmd();
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    expect(() => rule.draw(ops, state, undefined as never)).toThrow(/lmd: there is no random key to sample "w"/);
    const gradients = tensors(ops, { w: [1, 1] });
    expect(() => rule.update(ops, state, [{ gradients } as never])).toThrow(
      /no random key to sample "w".*keys that were passed to draw/,
    );
  });

  it('is the same after a refused update', async () => {
    const ops = testOperations();
    const rule = lmd();
    const state = await rule.init(ops, tensors(ops, { a: [1, 2], b: [-1] }));
    const partial = tensors(ops, { a: [1, 2] });
    const before = ops.memory().tensors;
    expect(() => rule.update(ops, state, [pass(partial)])).toThrow(/no gradient for the weight "b"/);
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('resuming lmd', () => {
  it('gives the very bits of an uninterrupted run', async () => {
    const rule = lmd({ samples: 2, learningRate: (step) => 0.01 / (step + 1) });
    const random = randomNumbers(5);
    const gradients = Array.from({ length: 12 }, () => [random() - 0.5, random() - 0.5, random() - 0.5]);
    const steps = (ops: EagerOperations, from: OptimizerState, to: number) => {
      let state = from;
      for (let step = from.step; step < to; step++) {
        state = rule.update(
          ops,
          state,
          [0, 1].map((sample) => pass(tensors(ops, { w: gradients[2 * step + sample]! }), step, sample)),
        );
      }
      return state;
    };
    const ops = testOperations();
    const half = steps(ops, await rule.init(ops, tensors(ops, { w: [0.5, -2, 0.1] })), 3);
    const whole = steps(ops, half, 6);
    const fresh = testOperations();
    const resumed = steps(fresh, await reloaded(ops, half, fresh), 6);
    expect(resumed.step).toBe(6);
    expect(await allValues(fresh, resumed.tensors)).toEqual(await allValues(ops, whole.tensors));
    expect(await allValues(fresh, rule.draw(fresh, resumed, key))).toEqual(
      await allValues(ops, rule.draw(ops, whole, key)),
    );
  });

  it('counts the steps of a schedule from 0', async () => {
    const ops = testOperations();
    const steps: number[] = [];
    const learningRate = (step: number) => {
      steps.push(step);
      return 0.01;
    };
    const rule = lmd({ learningRate });
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    const next = rule.update(ops, state, [pass(tensors(ops, { w: [1] }), 0)]);
    rule.update(ops, next, [pass(tensors(ops, { w: [1] }), 1)]);
    expect(steps).toEqual([0, 1]);
  });

  it("refuses a tensor that is none of its options' rather than dropping it", async () => {
    const ops = testOperations();
    const state = await lmd().init(ops, tensors(ops, { w: [1] }));
    const rule = lmd({ gradientScaling: 'none' });
    const gradient = [pass(tensors(ops, { w: [1] }))];
    expect(() => rule.update(ops, state, gradient)).toThrow(
      /state's tensor "w\/momentumMinus" does not belong to this optimizer/,
    );
    expect(() => rule.weights(ops, state)).toThrow(/logPlus, logMinus, momentumPlus, logPriorMedian/);
  });

  it('names a tensor that the state lacks', async () => {
    const ops = testOperations();
    const state = await lmd({ gradientScaling: 'none' }).init(ops, tensors(ops, { w: [1] }));
    const gradient = [pass(tensors(ops, { w: [1] }))];
    expect(() => lmd().update(ops, state, gradient)).toThrow(/no tensor "w\/momentumMinus".*same options/);
  });
});

describe('options of lmd', () => {
  it.each<[string, unknown, RegExp]>([
    ['an unknown name', { lambda: 0.5 }, /lmd has no option "lambda"\. Its options are learningRate, beta1/],
    ['no record', [0.5], /lmd: the options are \[0.5\]/],
    ['a negative learning rate', { learningRate: -1e-3 }, /learningRate is -0\.001/],
    ['a NaN learning rate', { learningRate: Number.NaN }, /learningRate is NaN/],
    ['beta1 = 1', { beta1: 1 }, /beta1 is 1/],
    ['beta2 above 1', { beta2: 1.5 }, /beta2 is 1\.5/],
    ['a negative λ', { regularization: -0.1 }, /regularization is -0\.1\. Use a finite number at least 0/],
    [
      'an unknown prior',
      { regularizer: 'gaussian' },
      /regularizer is "gaussian"\. Use one of: logNormalPrior, powerPrior/,
    ],
    ['a negative σ', { noise: -0.1 }, /noise is -0\.1/],
    ['a σ beyond f32', { noise: 11 }, /noise is 11\. Use a finite number at least 0 and at most 10/],
    ['no samples', { samples: 0 }, /samples is 0\. Use an integer at least 1/],
    ['half a sample', { samples: 1.5 }, /samples is 1\.5/],
    ['an unknown scaling', { gradientScaling: true }, /gradientScaling is true\. Use one of: sample, none/],
    ['a sign that is no flag', { useSign: 1 }, /useSign is 1\. Use true or false/],
    ['no floor', { priorMedianFloor: 0 }, /priorMedianFloor is 0\. Use a finite number above 0/],
    ['a prior median of 0', { priorMedian: 0 }, /priorMedian is 0/],
    ['a negative prior median by name', { priorMedian: { w: -1 } }, /priorMedian\["w"\] is -1/],
    ['prior medians in a list', { priorMedian: [1] }, /priorMedian is \[1\]/],
    ['an unknown kind of weights', { evaluation: 'mode' }, /evaluation is "mode"/],
    ['no evaluation draws', { evaluationSamples: 0 }, /evaluationSamples is 0/],
  ])('refuse %s', (_, options, message) => {
    expect(() => lmd(options as never)).toThrow(message);
  });

  it('may be absent or undefined', () => {
    expect(lmd()).toMatchObject({ name: 'lmd', samples: 1 });
    expect(lmd({ samples: undefined } as never).samples).toBe(1);
    expect(lmd({ samples: 4 }).samples).toBe(4);
  });
});
