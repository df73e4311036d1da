import { describe, expect, it } from 'vitest';
import {
  type LmdOptions,
  type LmdRegularizerName,
  lmd,
  lmdDivergences,
  lmdRegularizers,
  schedules,
  streamOf,
} from '../index.js';
import {
  allValues,
  descend,
  expectClose,
  follow,
  meanOf,
  noiseOf,
  pass,
  tensors,
  testOperations,
  trial,
  values,
} from './test-support.js';

const names = [...lmdRegularizers, ...lmdDivergences];

/** R of a half m (with `sigma`, the mean over the noise where the name has it) or of a sample θ (with `sigma` 0). */
function pullOf(regularizer: LmdRegularizerName, logRatio: number, sigma: number): number {
  switch (regularizer) {
    case 'logNormalPrior':
      return logRatio;
    case 'powerPrior':
      return 1;
    case 'exponentialPrior':
      return Math.exp(logRatio);
    case 'halfNormalPrior':
      return Math.exp(2 * logRatio);
    case 'exponentialDivergence':
      return Math.exp(logRatio + sigma ** 2 / 2) - 1;
    case 'halfNormalDivergence':
      return Math.exp(2 * logRatio + 2 * sigma ** 2) - 1;
  }
}

const { initial, gradients } = trial(12, 8);
const size = initial.length;

interface Given {
  readonly regularizer: LmdRegularizerName;
  readonly at: 'median' | 'sample';
  readonly lambda: (step: number) => number;
  readonly sigma: (step: number) => number;
}

/** LMD with the sign, one sample, in plain float64; from the state's own start. */
async function reference(start: Record<string, number[]>, rate: number, { regularizer, at, lambda, sigma }: Given) {
  const prior = start.logPriorMedian![0]!;
  const halves = (['Plus', 'Minus'] as const).map((half) => ({
    half,
    log: [...start[`log${half}`]!],
    momentum: initial.map(() => 0),
  }));
  for (const [step, gradient] of gradients.entries()) {
    const s = sigma(step);
    for (const { half, log, momentum } of halves) {
      const noise = await noiseOf('randomNormal', size, step, { negative: half === 'Minus' });
      for (let i = 0; i < size; i++) {
        const sampled = log[i]! + s * noise[i]!;
        const push = (half === 'Plus' ? 1 : -1) * Math.exp(sampled) * gradient[i]!;
        const temporary = 0.9 * momentum[i]! + 0.1 * push;
        momentum[i] = 0.99 * momentum[i]! + 0.01 * push;
        const pull =
          at === 'median' ? pullOf(regularizer, log[i]! - prior, s) : pullOf(regularizer, sampled - prior, 0);
        log[i]! -= rate * (Math.sign(temporary) + lambda(step) * pull);
      }
    }
  }
  return { plus: halves[0]!.log, minus: halves[1]!.log };
}

const constantOf = (value: number) => () => value;

describe('regularizers of lmd', () => {
  const options = { learningRate: 0.05, regularization: 0.4, noise: 0.3 };
  const given = { lambda: constantOf(0.4), sigma: constantOf(0.3) };

  it.each(names.flatMap((regularizer) => (['median', 'sample'] as const).map((at) => [regularizer, at] as const)))(
    'follow their formulas in float64: %s at the %s',
    async (regularizer, at) => {
      const rule = lmd({ ...options, regularizer, regularizerAt: at });
      const expected = await reference(await follow(rule, initial, []), 0.05, { ...given, regularizer, at });
      const end = await follow(rule, initial, gradients);
      expectClose(end.logPlus!, expected.plus, 1e-5, 1e-5);
      expectClose(end.logMinus!, expected.minus, 1e-5, 1e-5);
    },
  );

  it.each(lmdRegularizers)('at the median %s is the update of the kernel, to the bit', async (regularizer) => {
    const ops = testOperations();
    const rule = lmd({ ...options, regularizer });
    const state = await rule.init(ops, tensors(ops, { w: initial }));
    const of = (vector: string) => state.tensors[`w/${vector}`]!;
    const key = { seed: 1, step: 0, sample: 0 };
    const next = rule.update(ops, state, [pass(tensors(ops, { w: gradients[0]! }))]);
    const kernel = ops.lmdUpdate(
      {
        logPlus: of('logPlus'),
        logMinus: of('logMinus'),
        momentumPlus: of('momentumPlus'),
        momentumMinus: of('momentumMinus'),
      },
      [ops.fromData(gradients[0]!)],
      [{ ...key, stream: streamOf('w') }],
      of('logPriorMedian'),
      { ...options, beta1: 0.9, beta2: 0.99, regularizer, gradientScaling: 'sample', useSign: true },
    );
    const got = await allValues(ops, next.tensors);
    for (const [vector, tensor] of Object.entries(kernel))
      expect(got[`w/${vector}`]).toEqual(await values(ops, tensor));
    const drawn = await allValues(ops, rule.draw(ops, state, key));
    expect(drawn.w).toEqual(
      await values(ops, ops.lmdDraw(of('logPlus'), of('logMinus'), 0.3, { ...key, stream: streamOf('w') })),
    );
  });

  it.each(['exponentialPrior', 'halfNormalPrior'] as const)(
    'pull to 0 as %s, and toward m₀ with the entropy',
    async (regularizer) => {
      const still = Array.from({ length: 400 }, () => initial.map(() => 0));
      const common = { learningRate: 0.05, regularization: 1, noise: 0.2 };
      const end = async (name: LmdRegularizerName) => {
        const { logPlus, logPriorMedian } = await follow(lmd({ ...common, regularizer: name }), initial, still);
        return logPlus!.map((log) => log - logPriorMedian![0]!);
      };
      const power = regularizer === 'exponentialPrior' ? 1 : 2;
      for (const ratio of await end(regularizer)) expect(ratio).toBeLessThan(-1);
      const divergence = `${regularizer.slice(0, -5)}Divergence` as LmdRegularizerName;
      // Where exp(p²σ²/2)·(m/m₀)^p = 1.
      expectClose(
        await end(divergence),
        initial.map(() => (-power * 0.2 ** 2) / 2),
        0,
        1e-4,
      );
    },
  );

  it('at the samples have the mean of those at the median, for the divergences, over several samples', async () => {
    const ops = testOperations();
    const weight = ops.full([4000], 0.5);
    const change = async (regularizerAt: 'median' | 'sample') => {
      const rule = lmd({
        ...{ learningRate: 0.1, regularization: 1, noise: 0.3, samples: 2 },
        ...{ regularizer: 'halfNormalDivergence', regularizerAt, priorMedianFloor: 1 },
      });
      const state = await descend(ops, rule, weight, 1, (w) => ops.multiply(w, 0));
      const start = await rule.init(ops, { w: weight });
      const [after, before] = [
        await values(ops, state.tensors['w/logMinus']!),
        await values(ops, start.tensors['w/logMinus']!),
      ];
      return after.map((log, i) => log - before[i]!);
    };
    const [median, sampled] = [await change('median'), await change('sample')];
    expect(new Set(median).size).toBe(1);
    expect(new Set(sampled).size).toBeGreaterThan(1000);
    // The standard deviation of (θ/m₀)² is 0.9 here: 0.1·0.9/√8000 is one standard error.
    expect(Math.abs(meanOf(sampled) - median[0]!)).toBeLessThan(4e-3);
  });

  it.each<[string, LmdOptions]>([
    ['words', { stateFormat: 'block16' }],
    ['one momentum', { gradientScaling: 'none', stateFormat: 'block8' }],
    ['without sign', { useSign: false }],
  ])('work with %s', async (_, more) => {
    const ops = testOperations();
    const rule = lmd({
      learningRate: 0.02,
      regularization: 0.05,
      noise: 0.1,
      regularizer: 'exponentialDivergence',
      regularizerAt: 'sample',
      ...more,
    });
    const goal = ops.fromData(initial.map((w) => w * 0.5));
    const lossOf = async (w: Parameters<typeof ops.read>[0]) =>
      meanOf((await values(ops, ops.subtract(w, goal))).map((d) => d * d));
    const state = await descend(ops, rule, ops.fromData(initial), 200, (w) => ops.subtract(w, goal));
    expect(await lossOf(rule.weights(ops, state).w!)).toBeLessThan(0.3 * (await lossOf(ops.fromData(initial))));
  });

  it('refuse names and places that they do not have', () => {
    expect(() => lmd({ regularizer: 'logNormalDivergence' } as never)).toThrow(/regularizer is "logNormalDivergence"/);
    expect(() => lmd({ regularizerAt: 'draw' } as never)).toThrow(
      /regularizerAt is "draw"\. Use one of: median, sample/,
    );
  });
});

describe('schedules of lmd', () => {
  it('take λ and σ of each step, in the draw, the update and the mean', async () => {
    const lambda = schedules.linear({ from: 1, to: 0, steps: 8 });
    const sigma = schedules.cosine({ from: 0.4, to: 0.1, steps: 7 });
    const rule = lmd({ learningRate: 0.05, regularization: lambda, noise: sigma });
    const expected = await reference(await follow(rule, initial, []), 0.05, {
      regularizer: 'logNormalPrior',
      at: 'median',
      lambda,
      sigma,
    });
    const end = await follow(rule, initial, gradients);
    expectClose(end.logPlus!, expected.plus, 1e-5, 1e-5);
    expectClose(end.logMinus!, expected.minus, 1e-5, 1e-5);

    const ops = testOperations();
    const start = await rule.init(ops, tensors(ops, { w: initial }));
    // E[w] = w₀ at the start, by the noise of step 0; later the mean is that of the step to come.
    expectClose(await values(ops, rule.weights(ops, start).w!), initial, 1e-5, 1e-6);
    const later = { step: 7, tensors: start.tensors };
    const ratio = Math.exp((0.1 ** 2 - 0.4 ** 2) / 2);
    expectClose(
      await values(ops, rule.weights(ops, later).w!),
      initial.map((w) => w * ratio),
      1e-5,
      1e-6,
    );
    const drawn = async (state: typeof start) =>
      (await allValues(ops, rule.draw(ops, state, { seed: 1, step: 3, sample: 0 }))).w!;
    expect(await drawn(later)).not.toEqual(await drawn(start));
    expect((await allValues(ops, lmd({ noise: 0.1 }).draw(ops, later, { seed: 1, step: 3, sample: 0 }))).w).toEqual(
      await drawn(later),
    );
  });

  it('give the bits of a number where they are constant', async () => {
    const numbers = { learningRate: 0.03, regularization: 0.5, noise: 0.2 };
    const constant = { ...numbers, regularization: schedules.constant(0.5), noise: schedules.constant(0.2) };
    expect(await follow(lmd(constant), initial, gradients)).toEqual(await follow(lmd(numbers), initial, gradients));
  });

  it('are refused by step where their value is not allowed', async () => {
    const ops = testOperations();
    const rule = lmd({ noise: (step) => (step === 0 ? 0.1 : 11) });
    const state = await rule.init(ops, tensors(ops, { w: initial }));
    const next = rule.update(ops, state, [pass(tensors(ops, { w: gradients[0]! }))]);
    expect(() => rule.draw(ops, next, { seed: 1, step: 1, sample: 0 })).toThrow(/lmd: noise\(1\) is 11/);
    await expect(lmd({ noise: () => -1 }).init(ops, tensors(ops, { w: initial }))).rejects.toThrow(/noise\(0\) is -1/);
  });
});
