import { describe, expect, it } from 'vitest';
import {
  type AdamwUpdateOptions,
  createOperations,
  LmdError,
  type LmdRegularizer,
  type LmdUpdateOptions,
  type RandomKey,
} from '../index.js';
import { fillRandomNormal } from '../random/fill.js';
import { createTestBackend, expectTensor } from '../testing/index.js';

const key: RandomKey = { seed: 3, stream: 77, step: 2, sample: 0 };
const size = 6;

function normals(k: RandomKey): Float64Array {
  const values = new Float64Array(size);
  fillRandomNormal(values, k);
  return values;
}

/** e⁺ and e⁻ of a key. */
function noiseOf(k: RandomKey): { plus: Float64Array; minus: Float64Array } {
  return { plus: normals(k), minus: normals({ ...k, stream: ~k.stream >>> 0 }) };
}

const logPlus = [-2, -1, 0, 0.5, -3, -0.25];
const logMinus = [-1, -2, 0.5, 0, -1.5, -4];

it('lmdDraw is exp(l⁺ + σe⁺) − exp(l⁻ + σe⁻)', async () => {
  const backend = createTestBackend();
  const ops = createOperations(backend);
  const [plus, minus] = [ops.fromData(logPlus), ops.fromData(logMinus)];
  const noise = noiseOf(key);
  const want = logPlus.map(
    (l, i) => Math.exp(l + 0.2 * noise.plus[i]!) - Math.exp(logMinus[i]! + 0.2 * noise.minus[i]!),
  );
  await expectTensor(ops, ops.lmdDraw(plus, minus, 0.2, key), [size], want, 1e-6);
  const median = logPlus.map((l, i) => Math.exp(l) - Math.exp(logMinus[i]!));
  await expectTensor(ops, ops.lmdDraw(plus, minus, 0, key), [size], median, 1e-6);
  expect(backend.memory().tensors).toBe(4);
});

describe('lmdUpdate', () => {
  const base: LmdUpdateOptions = {
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.99,
    regularization: 0.3,
    regularizer: 'logNormalPrior',
    noise: 0.2,
    gradientScaling: 'sample',
    useSign: true,
  };
  const logPriorMedian = -1.25;
  const pulls: Record<LmdRegularizer, (l: number) => number> = {
    logNormalPrior: (l) => l - logPriorMedian,
    powerPrior: () => 1,
    exponentialPrior: (l) => Math.exp(l - logPriorMedian),
    halfNormalPrior: (l) => Math.exp(l - logPriorMedian) ** 2,
  };
  const gradients = [
    [1, -2, 0.5, 0, 3, -1],
    [-1, -1, 2, 0, 1, 0.5],
  ];
  const keys = [key, { ...key, sample: 1 }];
  const momentumPlus = [0.1, -0.2, 0.3, 0, -0.5, 0.6];
  const momentumMinus = [-0.1, 0.4, 0.3, 0, 0.5, 0];

  const cases = Object.keys(pulls).flatMap((regularizer) =>
    [true, false].flatMap((useSign) =>
      (['sample', 'none'] as const).map((gradientScaling) => ({ regularizer, useSign, gradientScaling })),
    ),
  );

  it.each([...cases, { regularization: 0 }, { noise: 0 }] as Partial<LmdUpdateOptions>[])('%j', async (choice) => {
    const options = { ...base, ...choice };
    const { learningRate, beta1, beta2, regularization, regularizer, noise, gradientScaling, useSign } = options;
    const scaled = gradientScaling === 'sample';
    const backend = createTestBackend();
    const ops = createOperations(backend);
    const state = {
      logPlus: ops.fromData(logPlus),
      logMinus: ops.fromData(logMinus),
      momentumPlus: ops.fromData(momentumPlus),
      ...(scaled ? { momentumMinus: ops.fromData(momentumMinus) } : {}),
    };
    const inputs = gradients.map((gradient) => ops.fromData(gradient));
    const before = backend.memory().tensors + 1;
    const next = ops.lmdUpdate(state, inputs, keys, ops.full([], logPriorMedian), options);
    expect(backend.memory().tensors).toBe(before + (scaled ? 4 : 3));

    const half = (logs: readonly number[], momentum: readonly number[], sign: 1 | -1, part: 'plus' | 'minus') =>
      logs.map((l, i) => {
        const terms = gradients.map((gradient, s) => {
          const factor = scaled ? Math.exp(l + noise * noiseOf(keys[s]!)[part][i]!) : 1;
          return (sign * factor * gradient[i]!) / gradients.length;
        });
        const mean = terms.reduce((total, term) => total + term, 0);
        const push = beta1 * momentum[i]! + (1 - beta1) * mean;
        const pull = regularization === 0 ? 0 : regularization * pulls[regularizer](l);
        return {
          log: l - learningRate * ((useSign ? Math.sign(push) : push) + pull),
          momentum: beta2 * momentum[i]! + (1 - beta2) * mean,
        };
      });
    const plus = half(logPlus, momentumPlus, 1, 'plus');
    const minus = half(logMinus, scaled ? momentumMinus : momentumPlus.map((v) => -v), -1, 'minus');
    await expectTensor(
      ops,
      next.logPlus,
      [size],
      plus.map((x) => x.log),
      1e-6,
    );
    await expectTensor(
      ops,
      next.logMinus,
      [size],
      minus.map((x) => x.log),
      1e-6,
    );
    await expectTensor(
      ops,
      next.momentumPlus,
      [size],
      plus.map((x) => x.momentum),
      1e-6,
    );
    if (scaled)
      await expectTensor(
        ops,
        next.momentumMinus!,
        [size],
        minus.map((x) => x.momentum),
        1e-6,
      );
    else expect(next.momentumMinus).toBe(undefined);
  });

  it.each<[string, string, Partial<LmdUpdateOptions>]>([
    ['INVALID_ARGUMENT', 'lmdUpdate: beta1 is 1.5. It must be in [0, 1].', { beta1: 1.5 }],
    ['INVALID_ARGUMENT', 'lmdUpdate: noise is -1.', { noise: -1 }],
    ['INVALID_ARGUMENT', 'lmdUpdate: regularizer is "none". Use "logNormalPrior"', { regularizer: 'none' as never }],
    ['INVALID_ARGUMENT', 'lmdUpdate: gradientScaling "none" with momentumMinus.', { gradientScaling: 'none' }],
    ['UNKNOWN_OPTION', 'lmdUpdate has no option "sigma".', { sigma: 1 } as never],
  ])('refuses with %s: %s', (code, message, choice) => {
    const ops = createOperations(createTestBackend());
    const zeros = () => ops.zeros([2]);
    const state = { logPlus: zeros(), logMinus: zeros(), momentumPlus: zeros(), momentumMinus: zeros() };
    const update = () => ops.lmdUpdate(state, [zeros()], [key], ops.zeros([]), { ...base, ...choice });
    expect(update).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it('refuses shapes, keys and priors that do not fit', () => {
    const ops = createOperations(createTestBackend());
    const zeros = () => ops.zeros([2]);
    const state = { logPlus: zeros(), logMinus: zeros(), momentumPlus: zeros(), momentumMinus: zeros() };
    const scalar = ops.zeros([]);
    expect(() => ops.lmdUpdate(state, [ops.zeros([3])], [key], scalar, base)).toThrow(
      'lmdUpdate: logPlus is [2], gradient is [3].',
    );
    expect(() => ops.lmdUpdate(state, [zeros()], [], scalar, base)).toThrow('lmdUpdate: 1 gradients and 0 keys.');
    expect(() => ops.lmdUpdate(state, [zeros()], [key], zeros(), base)).toThrow('logPriorMedian is [2]');
  });
});

describe('adamwUpdate', () => {
  const options: AdamwUpdateOptions = {
    learningRate: 0.02,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-3,
    weightDecay: 0.1,
    step: 1,
  };
  const weights = [1, -2, 0.5, 0, 3, -1];

  it.each([0, 0.1])('follows Loshchilov & Hutter for three steps with weight decay %d', async (weightDecay) => {
    const backend = createTestBackend();
    const ops = createOperations(backend);
    let want = { w: weights, m: weights.map(() => 0), v: weights.map(() => 0) };
    let state = { weights: ops.fromData(weights), firstMoment: ops.zeros([size]), secondMoment: ops.zeros([size]) };
    for (const [t, factor] of [1, -0.5, 2].entries()) {
      const step = t + 1;
      const gradient = weights.map((_, i) => factor * (i - 2.5));
      const next = ops.adamwUpdate(state, ops.fromData(gradient), { ...options, weightDecay, step });
      ops.dispose(state);
      state = next;
      const m = want.m.map((value, i) => 0.9 * value + 0.1 * gradient[i]!);
      const v = want.v.map((value, i) => 0.99 * value + 0.01 * gradient[i]! ** 2);
      const w = want.w.map((value, i) => {
        const adjusted = m[i]! / (1 - 0.9 ** step) / (Math.sqrt(v[i]! / (1 - 0.99 ** step)) + 1e-3);
        return value - 0.02 * (adjusted + weightDecay * value);
      });
      want = { w, m, v };
    }
    await expectTensor(ops, state.weights, [size], want.w, 1e-6);
    await expectTensor(ops, state.firstMoment, [size], want.m, 1e-6);
    await expectTensor(ops, state.secondMoment, [size], want.v, 1e-6);
    expect(backend.memory().tensors).toBe(3 + 3);
  });

  it.each([{ beta2: 1 }, { step: 0 }, { epsilon: -1 }, { learningRate: Number.NaN }])('refuses %j', (choice) => {
    const ops = createOperations(createTestBackend());
    const zeros = () => ops.zeros([2]);
    const state = { weights: zeros(), firstMoment: zeros(), secondMoment: zeros() };
    const [name] = Object.keys(choice);
    expect(() => ops.adamwUpdate(state, zeros(), { ...options, ...choice })).toThrow(LmdError);
    expect(() => ops.adamwUpdate(state, zeros(), { ...options, ...choice })).toThrow(`adamwUpdate: ${name} is`);
  });
});

describe('weightedSum', () => {
  const [x, y] = [
    [1, -2, 0.3, 0, 3e-8, -1],
    [0.7, 1e-3, -5, 2, 0.1, 4],
  ];

  it('rounds both products and the sum to f32', async () => {
    const backend = createTestBackend();
    const ops = createOperations(backend);
    const sum = ops.weightedSum(ops.fromData(x!), 0.9, ops.fromData(y!), -3e-4);
    const { fround } = Math;
    const want = x!.map((value, i) =>
      fround(fround(fround(0.9) * fround(value)) + fround(fround(-3e-4) * fround(y![i]!))),
    );
    expect([...((await ops.read(sum)) as Float32Array)]).toEqual(want);
    expect(backend.memory().tensors).toBe(3);
  });

  it('refuses tensors of two shapes and factors that are not finite', () => {
    const ops = createOperations(createTestBackend());
    expect(() => ops.weightedSum(ops.zeros([2]), 1, ops.zeros([]), 1)).toThrow('x is [2], y is [].');
    expect(() => ops.weightedSum(ops.zeros([2]), Number.NaN, ops.zeros([2]), 1)).toThrow('weightedSum: alpha is NaN.');
    expect(() => ops.weightedSum(ops.zeros([2]), 1, ops.zeros([2]), Infinity)).toThrow('weightedSum: beta is');
  });
});
