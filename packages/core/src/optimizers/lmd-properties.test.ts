import { describe, expect, it } from 'vitest';
import {
  type EagerOperations,
  type LmdOptions,
  lion,
  lmd,
  lmdRegularizers,
  type NamedTensors,
  type OptimizerState,
  type Tensor,
} from '../index.js';
import { allValues, expectClose, pass, randomNumbers, tensors, testOperations, values } from './test-support.js';

const logs = async (ops: EagerOperations, state: OptimizerState) => ({
  plus: await values(ops, state.tensors['w/logPlus']!),
  minus: await values(ops, state.tensors['w/logMinus']!),
});

const logPriorMedian = async (ops: EagerOperations, state: OptimizerState) =>
  (await values(ops, state.tensors['w/logPriorMedian']!))[0]!;

/** Steps with gradients of a caller's making; everything a step makes is freed but the state. */
async function run(
  ops: EagerOperations,
  options: LmdOptions,
  initial: NamedTensors,
  steps: number,
  gradient: (step: number) => readonly number[] | Float32Array,
  look?: (state: OptimizerState, step: number) => Promise<void>,
): Promise<OptimizerState> {
  const rule = lmd(options);
  let state = await rule.init(ops, initial);
  for (let step = 0; step < steps; step++) {
    const before = state;
    state = ops.scope(() => rule.update(ops, before, [pass({ w: ops.fromData(gradient(step)) }, step)]));
    ops.dispose(before.tensors);
    await look?.(state, step);
  }
  return state;
}

describe('a step of lmd', () => {
  it('moves log m by no more than a·(1 + λ·|R|)', async () => {
    const random = randomNumbers(1);
    const initial = Array.from({ length: 40 }, () => 4 * random() - 2);
    const [a, lambda] = [0.01, 0.8];
    const ops = testOperations();
    let before = { plus: [] as number[], minus: [] as number[] };
    const rule = lmd({ learningRate: a, regularization: lambda, noise: 0.2 });
    const weights = tensors(ops, { w: initial });
    before = await logs(ops, await rule.init(ops, weights));
    let largest = 0;
    await run(
      ops,
      { learningRate: a, regularization: lambda, noise: 0.2 },
      weights,
      25,
      () => initial.map(() => (random() - 0.5) * 10 ** (6 * random() - 3)),
      async (state) => {
        const after = await logs(ops, state);
        const prior = await logPriorMedian(ops, state);
        for (const half of ['plus', 'minus'] as const) {
          for (const [i, value] of after[half].entries()) {
            const old = before[half][i]!;
            const move = Math.abs(value - old);
            largest = Math.max(largest, move);
            expect(move).toBeLessThanOrEqual(a * (1 + lambda * Math.abs(old - prior)) + 1e-6);
          }
        }
        before = after;
      },
    );
    expect(largest).toBeGreaterThan(a);
  });

  it('moves a weight without gradient by the regulariser alone: sign(0) = 0', async () => {
    for (const regularizer of lmdRegularizers) {
      const ops = testOperations();
      const [a, lambda] = [0.1, 0.5];
      const rule = lmd({ learningRate: a, regularization: lambda, regularizer });
      const start = await rule.init(ops, tensors(ops, { w: [0.5, -1, 0] }));
      const next = rule.update(ops, start, [pass(tensors(ops, { w: [0, -0, 0] }))]);
      const [before, after, prior] = [await logs(ops, start), await logs(ops, next), await logPriorMedian(ops, start)];
      const pull = {
        logNormalPrior: (l: number) => l - prior,
        powerPrior: () => 1,
        exponentialPrior: (l: number) => Math.exp(l - prior),
        halfNormalPrior: (l: number) => Math.exp(2 * (l - prior)),
      }[regularizer];
      for (const half of ['plus', 'minus'] as const) {
        expectClose(
          after[half],
          before[half].map((l) => l - a * lambda * pull(l)),
          1e-6,
          1e-6,
        );
      }
      expect(await values(ops, next.tensors['w/momentumPlus']!)).toEqual([0, 0, 0]);
    }
  });

  it('without noise and with one sample is Lion on (log m⁺, log m⁻) with gradients ±m±·g', async () => {
    const random = randomNumbers(2);
    const initial = Array.from({ length: 16 }, () => 2 * random() - 1);
    const gradients = Array.from({ length: 30 }, () => initial.map(() => random() - 0.5));
    const [a, beta1, beta2, lambda] = [0.01, 0.9, 0.99, 0.5];
    const ops = testOperations();
    const options = { learningRate: a, beta1, beta2, regularization: lambda, noise: 0 };
    const start = await lmd(options).init(ops, tensors(ops, { w: initial }));
    const { plus, minus } = await logs(ops, start);
    const prior = await logPriorMedian(ops, start);
    // Lion (Chen et al., arXiv:2302.06675, algorithm 2), with its decoupled decay toward log m₀ instead of 0.
    const parameters = [...plus, ...minus];
    const momentum = parameters.map(() => 0);
    for (const gradient of gradients) {
      for (const [i, l] of parameters.entries()) {
        const g = (i < 16 ? 1 : -1) * Math.exp(l) * gradient[i % 16]!;
        const update = Math.sign(beta1 * momentum[i]! + (1 - beta1) * g);
        parameters[i] = l - a * (update + lambda * (l - prior));
        momentum[i] = beta2 * momentum[i]! + (1 - beta2) * g;
      }
    }
    const state = await run(ops, options, tensors(ops, { w: initial }), 30, (step) => gradients[step]!);
    const end = await logs(ops, state);
    expectClose([...end.plus, ...end.minus], parameters, 1e-5, 1e-5);
    expectClose(await values(ops, state.tensors['w/momentumMinus']!), momentum.slice(16), 1e-4, 1e-6);
  });

  it('without noise is the rule lion itself on log(m±/m₀), its weight decay the prior', async () => {
    const random = randomNumbers(9);
    const initial = Array.from({ length: 16 }, () => 2 * random() - 1);
    const gradients = Array.from({ length: 30 }, () => initial.map(() => random() - 0.5));
    const [learningRate, beta1, beta2, lambda] = [0.02, 0.8, 0.95, 0.7];
    const ops = testOperations();
    const options = { learningRate, beta1, beta2, regularization: lambda, noise: 0 };
    const start = await lmd(options).init(ops, tensors(ops, { w: initial }));
    const prior = await logPriorMedian(ops, start);
    const { plus, minus } = await logs(ops, start);
    const rule = lion({ learningRate, beta1, beta2, weightDecay: lambda });
    const shifted = (half: number[]) => half.map((l) => l - prior);
    let state = await rule.init(ops, tensors(ops, { plus: shifted(plus), minus: shifted(minus) }));
    for (const [step, gradient] of gradients.entries()) {
      const g = ops.fromData(gradient);
      const scaled = (half: Tensor, sign: number) => ops.multiply(ops.multiply(ops.exp(ops.add(half, prior)), g), sign);
      const { plus: logPlus, minus: logMinus } = rule.draw(ops, state, { seed: 1, step, sample: 0 });
      state = rule.update(ops, state, [pass({ plus: scaled(logPlus!, 1), minus: scaled(logMinus!, -1) }, step)]);
    }
    const same = await allValues(ops, rule.weights(ops, state));
    const end = await logs(ops, await run(ops, options, tensors(ops, { w: initial }), 30, (step) => gradients[step]!));
    expectClose(shifted(end.plus), same.plus!, 1e-5, 1e-5);
    expectClose(shifted(end.minus), same.minus!, 1e-5, 1e-5);
  });

  it.each([false, true])('keeps m⁺·m⁻ with σ = 0, λ = 0 and gradients not scaled (sign: %s)', async (useSign) => {
    // EG± is mirror descent with the hypentropy of parameter √(m⁺·m⁻) (Ghai, Hazan & Singer, arXiv:1902.01903).
    const random = randomNumbers(3);
    const initial = Array.from({ length: 10 }, () => 2 * random() - 1);
    const ops = testOperations();
    const options: LmdOptions = { noise: 0, regularization: 0, gradientScaling: 'none', useSign, learningRate: 0.05 };
    const start = await logs(ops, await lmd(options).init(ops, tensors(ops, { w: initial })));
    const state = await run(ops, options, tensors(ops, { w: initial }), 40, () => initial.map(() => random() - 0.4));
    const end = await logs(ops, state);
    expectClose(
      end.plus.map((l, i) => l + end.minus[i]!),
      start.plus.map((l, i) => l + start.minus[i]!),
      1e-5,
      1e-5,
    );
    expect(Math.max(...end.plus.map((l, i) => Math.abs(l - start.plus[i]!)))).toBeGreaterThan(0.01);
  });

  it('is EG± with unscaled gradients and no momentum, sign, noise or prior', async () => {
    // Kivinen & Warmuth (1997): m⁺ ← m⁺·exp(−a·g), m⁻ ← m⁻·exp(a·g).
    const ops = testOperations();
    const options: LmdOptions = {
      noise: 0,
      regularization: 0,
      gradientScaling: 'none',
      useSign: false,
      beta1: 0,
      beta2: 0,
      learningRate: 0.2,
    };
    const weights = tensors(ops, { w: [1, -0.5] });
    const start = await logs(ops, await lmd(options).init(ops, weights));
    const end = await logs(ops, await run(ops, options, weights, 1, () => [0.3, -2]));
    expectClose(end.plus, [start.plus[0]! - 0.06, start.plus[1]! + 0.4], 1e-6, 1e-6);
    expectClose(end.minus, [start.minus[0]! + 0.06, start.minus[1]! - 0.4], 1e-6, 1e-6);
  });

  it('averages the scaled gradients of S samples, each with the noise that its pass was drawn with', async () => {
    const ops = testOperations();
    const noise = 0.4;
    const rule = lmd({ samples: 2, noise, learningRate: 1, regularization: 0, useSign: false, beta1: 0, beta2: 0 });
    const state = await rule.init(ops, tensors(ops, { w: [0.5, -1, 2, 0.1] }));
    const gradients = [
      [1, 2, -1, 0.5],
      [-0.5, 1, 3, 2],
    ];
    const next = rule.update(
      ops,
      state,
      gradients.map((list, sample) => pass(tensors(ops, { w: list }), 4, sample, 9)),
    );
    const draws = [0, 1].map((sample) => rule.draw(ops, state, { seed: 9, step: 4, sample }).w!);
    const [before, after] = [await logs(ops, state), await logs(ops, next)];
    // The halves' gradients differ by that of the drawn weight: G⁺ + G⁻ = mean of w·g. So the test needs no noise of
    // its own.
    const [first, second] = [await values(ops, draws[0]!), await values(ops, draws[1]!)];
    const moved = before.plus.map((l, i) => l - after.plus[i]! + before.minus[i]! - after.minus[i]!);
    expectClose(
      moved,
      first.map((w, i) => (w * gradients[0]![i]! + second[i]! * gradients[1]![i]!) / 2),
      1e-4,
      1e-5,
    );
    expect(() => rule.update(ops, state, [pass(tensors(ops, { w: [1, 1, 1, 1] }))])).toThrow(/1 passes for 2 samples/);
  });
});

describe('the laws of lmd', () => {
  it('E[θ⁺·g] is the derivative of E[loss] in log m⁺, on a quadratic', async () => {
    // Loss ½·A·(w − b)² at w = θ⁺ − θ⁻, the derivative of whose mean is
    // A·((E w − b)·e^{σ²/2}·m± ± ...): each half adds its own variance term m±²·(e^{2σ²} − e^{σ²}).
    const size = 40_000;
    const [noise, curvature, optimum, weight] = [0.3, 1.7, 0.2, 0.6];
    const ops = testOperations();
    const plain = { learningRate: 1, regularization: 0, useSign: false, beta1: 0, beta2: 0 };
    const rule = lmd({ noise, priorMedianFloor: 0.5, ...plain });
    const state = await rule.init(ops, { w: ops.full([size], weight) });
    const drawKey = { seed: 4, step: 0, sample: 0 };
    const gradient = ops.scope(() => {
      const { w } = rule.draw(ops, state, drawKey);
      return ops.multiply(ops.subtract(w!, optimum), curvature);
    });
    const next = rule.update(ops, state, [{ key: drawKey, gradients: { w: gradient } }]);
    const [before, after] = [await logs(ops, state), await logs(ops, next)];
    for (const [half, sign, factor] of [
      ['plus', 1, 1.5],
      ['minus', -1, 0.5],
    ] as const) {
      const median = factor * weight * Math.exp(-(noise ** 2) / 2);
      const mean = Math.exp(noise ** 2 / 2) * median;
      const expected =
        curvature *
        (sign * (weight - optimum) * mean + median ** 2 * (Math.exp(2 * noise ** 2) - Math.exp(noise ** 2)));
      const moves = before[half].map((l, i) => l - after[half][i]!);
      const average = moves.reduce((sum, move) => sum + move, 0) / size;
      const deviation = Math.sqrt(moves.reduce((sum, move) => sum + (move - average) ** 2, 0) / size);
      expect(Math.abs(average - expected), half).toBeLessThan((5 * deviation) / Math.sqrt(size));
    }
  });

  it('|log(m/m₀)| stays below 1/λ with the log-normal prior, and comes near it under a constant sign', async () => {
    const [a, lambda] = [0.05, 0.5];
    const ops = testOperations();
    const options = { learningRate: a, regularization: lambda, noise: 0.1 };
    let prior = 0;
    const state = await run(
      ops,
      options,
      tensors(ops, { w: [0.5, -0.5, 1] }),
      400,
      () => [1, -2, 0.5],
      async (now, step) => {
        if (step % 20 !== 0) return;
        prior = await logPriorMedian(ops, now);
        const { plus, minus } = await logs(ops, now);
        for (const l of [...plus, ...minus]) expect(Math.abs(l - prior)).toBeLessThanOrEqual(1 / lambda + 1e-4);
      },
    );
    const { plus, minus } = await logs(ops, state);
    expectClose(
      plus.map((l) => l - prior),
      [-2, 2, -2],
      1e-3,
    );
    expectClose(
      minus.map((l) => l - prior),
      [2, -2, 2],
      1e-3,
    );
  });

  it('log m under random signs is an Ornstein–Uhlenbeck chain of variance a²/(1 − (1 − aλ)²), and m log-normal about m₀', async () => {
    const size = 8192;
    const [a, lambda] = [0.1, 1];
    const random = randomNumbers(6);
    const ops = testOperations();
    const signs = new Float32Array(size);
    const options: LmdOptions = { learningRate: a, regularization: lambda, noise: 0, beta1: 0, beta2: 0 };
    const state = await run(ops, options, { w: ops.full([size], 1) }, 80, () =>
      signs.map(() => (random() < 0.5 ? -1 : 1)),
    );
    const expected = a ** 2 / (1 - (1 - a * lambda) ** 2);
    const prior = await logPriorMedian(ops, state);
    const { plus, minus } = await logs(ops, state);
    for (const half of [plus, minus]) {
      const centred = half.map((l) => l - prior);
      const mean = centred.reduce((sum, l) => sum + l, 0) / size;
      const variance = centred.reduce((sum, l) => sum + (l - mean) ** 2, 0) / size;
      const kurtosis = centred.reduce((sum, l) => sum + (l - mean) ** 4, 0) / size / variance ** 2;
      expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(expected / size) + 0.9 ** 80 * 2);
      expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(2 / size));
      // A sum of ± steps of shrinking size: excess kurtosis −2·a⁴/(1 − (1 − aλ)⁴) / variance², near a normal law's 0.
      const excess = (-2 * a ** 4) / (1 - (1 - a * lambda) ** 4) / expected ** 2;
      expect(Math.abs(kurtosis - 3 - excess)).toBeLessThan(5 * Math.sqrt(24 / size));
    }
  });

  it('the noise of a draw is the noise of its update', async () => {
    // A loss of w alone at the draw: with the gradient 1/w, G⁺ + G⁻ is exactly 1, and so is the move of log m⁺ + log
    // m⁻.
    const ops = testOperations();
    const rule = lmd({ noise: 0.5, learningRate: 1, regularization: 0, useSign: false, beta1: 0, beta2: 0 });
    const state = await rule.init(ops, tensors(ops, { w: [0.5, -1, 2, 3] }));
    const drawKey = { seed: 2, step: 3, sample: 1 };
    const w = (await allValues(ops, rule.draw(ops, state, drawKey))).w!;
    const update = async (step: number) => {
      const next = rule.update(ops, state, [
        { key: { ...drawKey, step }, gradients: tensors(ops, { w: w.map((value) => 1 / value) }) },
      ]);
      const [before, after] = [await logs(ops, state), await logs(ops, next)];
      return before.plus.map((l, i) => l - after.plus[i]! + before.minus[i]! - after.minus[i]!);
    };
    expectClose(await update(3), [1, 1, 1, 1], 1e-4);
    expect(Math.max(...(await update(4)).map((move) => Math.abs(move - 1)))).toBeGreaterThan(0.1);
  });
});
