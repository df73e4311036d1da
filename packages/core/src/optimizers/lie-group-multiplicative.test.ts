import { describe, expect, it } from 'vitest';
import { lieGroupMultiplicative } from '../index.js';
import {
  allValues,
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

const rayleigh = async (size: number, step: number, more: { sample?: number; negative?: boolean } = {}) =>
  (await noiseOf('randomUniform', size, step, more)).map((u) => Math.sqrt(-2 * Math.log(1 - u)));

describe('lieGroupMultiplicative', () => {
  it('follows its rule, with the noise of each draw in its update', async () => {
    const { initial, gradients } = trial();
    const [rate, beta, temperature, floor] = [0.05, 0.6, 0.01, 0.4];
    const size = initial.length;
    const scale = Math.sqrt(meanOf(initial.map((w) => w * w)));
    const half = (sign: number) =>
      initial.map((w) => Math.log((Math.max(sign * w, 0) + floor * scale) / Math.sqrt(Math.PI / 2)));
    const logs = [half(1), half(-1)] as const;
    const momenta = [initial.map(() => 0), initial.map(() => 0)] as const;
    for (const [step, gradient] of gradients.entries()) {
      for (const side of [0, 1] as const) {
        const noise = await rayleigh(size, step, { negative: side === 1 });
        for (const [i, g] of gradient.entries()) {
          const pull = (side === 0 ? 1 : -1) * Math.exp(logs[side][i]!) * noise[i]! * g;
          momenta[side][i] = beta * momenta[side][i]! + (1 - beta) * (pull - temperature);
          logs[side][i]! -= rate * momenta[side][i]!;
        }
      }
    }
    const rule = lieGroupMultiplicative({ learningRate: rate, momentum: beta, temperature, floor });
    const end = await follow(rule, initial, gradients);
    expectClose(end.logPlus!, logs[0], 1e-4, 1e-5);
    expectClose(end.logMinus!, logs[1], 1e-4, 1e-5);
    expectClose(end.momentumPlus!, momenta[0], 1e-4, 1e-5);
    expectClose(end.momentumMinus!, momenta[1], 1e-4, 1e-5);
  });

  it('starts so that the mean weight, and the average of draws, is the given one', async () => {
    const ops = testOperations();
    const rule = lieGroupMultiplicative();
    const size = 20_000;
    const state = await rule.init(ops, { w: ops.full([size], 0.7) });
    expectClose([(await values(ops, rule.weights(ops, state).w!))[0]!], [0.7]);
    const drawn = await values(ops, rule.draw(ops, state, { seed: 1, step: 0, sample: 0 }).w!);
    // The halves have means 1.05 and 0.35, and deviate by √(4/π − 1) of them.
    const deviation = Math.hypot(1.05, 0.35) * Math.sqrt(4 / Math.PI - 1);
    expect(Math.abs(meanOf(drawn) - 0.7)).toBeLessThan((5 * deviation) / Math.sqrt(size));
    const variance = meanOf(drawn.map((w) => (w - 0.7) ** 2));
    expect(Math.abs(Math.sqrt(variance) / deviation - 1)).toBeLessThan(0.03);
    // Both halves are positive and independent: their medians differ by √(2·ln 2)·(g⁺ − g⁻).
    const median = (await values(ops, rule.weights(ops, state, 'median').w!))[0]!;
    expectClose([median], [(0.7 * Math.sqrt(2 * Math.LN2)) / Math.sqrt(Math.PI / 2)]);
  });

  it('without a gradient grows by a·T a step, once the momentum has it', async () => {
    const zeros = Array.from({ length: 50 }, () => [0, 0]);
    const rule = (learningRate: number) => lieGroupMultiplicative({ learningRate, temperature: 0.02, momentum: 0 });
    const start = await follow(rule(0), [1, -1], zeros);
    const end = await follow(rule(0.5), [1, -1], zeros);
    expectClose(
      end.logMinus!,
      start.logMinus!.map((l) => l + 50 * 0.5 * 0.02),
      1e-5,
    );
  });

  it('averages ±θ±·g over its samples, each with its own noise', async () => {
    const ops = testOperations();
    const rule = lieGroupMultiplicative({ samples: 2, learningRate: 1, momentum: 0, temperature: 0 });
    const state = await rule.init(ops, tensors(ops, { w: [1, -2] }));
    const log = (await allValues(ops, state.tensors))['w/logPlus']!;
    const passes = [3, -1].map((g, sample) => pass(tensors(ops, { w: [g, g] }), 4, sample));
    const next = (await allValues(ops, rule.update(ops, state, passes).tensors))['w/logPlus']!;
    const [first, second] = [await rayleigh(2, 4), await rayleigh(2, 4, { sample: 1 })];
    expectClose(
      next,
      log.map((l, i) => l - (Math.exp(l) * (3 * first[i]! - second[i]!)) / 2),
      1e-5,
    );
  });

  it('names what it needs: a key, weights that are not all 0', async () => {
    const ops = testOperations();
    const rule = lieGroupMultiplicative();
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    expect(() => rule.weights(ops, state, 'sample')).toThrow(/there is no random key to sample "w"/);
    const update = () => rule.update(ops, state, [{ gradients: tensors(ops, { w: [1] }) } as never]);
    expect(update).toThrow(/there is no random key to sample "w"\. .*keys that were passed to draw/);
    await expect(rule.init(ops, tensors(ops, { bias: [0] }))).rejects.toThrow(/weights "bias" have root mean square 0/);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { noise: 1 }, /lieGroupMultiplicative has no option "noise"/],
    ['a NaN learning rate', { learningRate: Number.NaN }, /lieGroupMultiplicative: learningRate is NaN/],
    ['negative momentum', { momentum: -1 }, /lieGroupMultiplicative: momentum is -1/],
    ['a negative temperature', { temperature: -1 }, /lieGroupMultiplicative: temperature is -1/],
    ['no samples', { samples: 0 }, /lieGroupMultiplicative: samples is 0/],
    ['a floor of 0', { floor: 0 }, /lieGroupMultiplicative: floor is 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => lieGroupMultiplicative(options as never)).toThrow(message);
  });
});
