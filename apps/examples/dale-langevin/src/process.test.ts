import { valueAndGradients } from '@lmd/autograd';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { drawMixture, mixtureScore, threeModes } from './experiment/mixture.js';
import { addNoise, type Process, paperProcess, scoreMatchingLoss } from './process.js';

const ops = createOperations(createReferenceBackend());
const other: Process = { drift: 0.5, volatility: 0.6, duration: 1, power: 2, weighted: false };
const normal = (count: number) => ops.randomNormal([count, 2, 2, 1], { seed: 1, stream: 2, step: 0, sample: 0 });

/** Mixture draws with noise, and their times. */
function noisy(process: Process, count: number, time: number) {
  const t = ops.full([count, 1, 1, 1], time);
  const x0 = ops.fromData(drawMixture(threeModes, count, 3), [count, 2, 2, 1]);
  return { x0, xt: addNoise(ops, process, x0, t, normal(count)), t };
}

it.each([paperProcess, other])(
  'adds noise whose logarithm has mean (μ − σ²/2)t and variance σ²t: %o',
  async (process) => {
    const { x0, xt } = noisy(process, 4000, 0.5);
    const logs = (await ops.read(ops.log(ops.divide(xt, x0)))) as Float32Array;
    const mean = logs.reduce((a, b) => a + b) / logs.length;
    const variance = logs.reduce((a, b) => a + (b - mean) ** 2, 0) / logs.length;
    const { drift, volatility } = process;
    // Five standard errors.
    const expected = volatility ** 2 / 2;
    expect(Math.abs(mean - (drift - expected) / 2)).toBeLessThan(5 * Math.sqrt(expected / 16_000));
    expect(Math.abs(variance - expected)).toBeLessThan(5 * expected * Math.sqrt(2 / 16_000));
  },
);

it.each([paperProcess, other])(
  'is 0 for the score of one log-normal, −(1 + (log(x_t/x₀) − (μ − σ²/2)t)/σ²t)/x: %o',
  async (process) => {
    const { x0, xt, t } = noisy(process, 50, 0.3);
    const { drift, volatility } = process;
    const loss = scoreMatchingLoss(
      ops,
      process,
      (_, x) => {
        const deviation = ops.subtract(ops.log(ops.divide(x, x0)), ops.multiply(t, drift - volatility ** 2 / 2));
        return ops.subtract(ops.divide(ops.negate(deviation), ops.multiply(t, volatility ** 2)), 1);
      },
      { x0, xt, t },
    );
    expect((await ops.read(loss))[0]).toBeLessThan(1e-12);
  },
);

it.each([paperProcess, other])(
  'has its minimum at the score of the mixture: its gradient there is 0: %o',
  async (process) => {
    const batch = noisy(process, 4000, 0.3);
    const exact = mixtureScore(threeModes, process);
    // s = exact·scale + shift.
    const gradientAt = async (scale: number, shift: number) => {
      const weights = { scale: ops.fromData([scale]), shift: ops.fromData([shift]) };
      const { gradients } = valueAndGradients(ops, weights, (tape, w) =>
        scoreMatchingLoss(tape, process, (o, x, t) => o.add(o.multiply(exact(o, x, t), w.scale!), w.shift!), batch),
      );
      return [(await ops.read(gradients.scale!))[0]!, (await ops.read(gradients.shift!))[0]!];
    };
    for (const gradient of await gradientAt(1, 0)) expect(Math.abs(gradient)).toBeLessThan(0.003);
    expect((await gradientAt(1.2, 0))[0]).toBeGreaterThan(0.02);
    expect((await gradientAt(1, -0.2))[1]).toBeLessThan(-0.004);
  },
);
