import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations, type Tensor } from '@lmd/core';
import { expect, it } from 'vitest';
import { drawMixture, mixtureScore, threeModes } from './experiment/mixture.js';
import { compareSamples } from './experiment/mixture-check.js';
import { longProcess, type MultiplicativeScore, type Process, paperProcess } from './process.js';
import { correlatedStart, independentStart, type SamplerOptions, samplePictures } from './samplers.js';

const ops = createOperations(await createCpuBackend({ threads: 1 }));
const moments = { logMean: 0.35, logDeviation: 0.367 };
const count = 250;

async function sample(process: Process, score: MultiplicativeScore, options: SamplerOptions) {
  const start = independentStart(ops, process, moments, [count, 2, 2, 1], 5);
  try {
    return await samplePictures(ops, process, score, start, 6, options);
  } finally {
    ops.dispose(start);
  }
}

it.each<[SamplerOptions, Process]>([
  [{ rule: 'dale', levels: 100 }, paperProcess],
  [{ rule: 'unconstrained', levels: 100 }, paperProcess],
  [{ rule: 'unconstrained', levels: 50, inner: 4 }, paperProcess],
  [
    { rule: 'dale', levels: 100 },
    { drift: 0.6, volatility: 0.8, duration: 1, power: 1, weighted: false },
  ],
])('draws from the mixture with the exact score: %o, %o', async (options, process) => {
  const before = ops.memory().tensors;
  const samples = await sample(process, mixtureScore(threeModes, process), options);
  const result = compareSamples(samples, 7);
  expect(result.pValue).toBeGreaterThan(0.05);
  for (let d = 0; d < 4; d++) {
    expect(Math.abs(result.samples.mean[d]! - result.drawn.mean[d]!)).toBeLessThan(0.12);
    expect(result.samples.deviation[d]! / result.drawn.deviation[d]!).toBeGreaterThan(0.85);
    expect(result.samples.deviation[d]! / result.drawn.deviation[d]!).toBeLessThan(1.15);
  }
  expect(ops.memory().tensors).toBe(before);
});

it('starts with the mean and the covariance of log x_T', async () => {
  const n = 400;
  const examples = ops.fromData(drawMixture(threeModes, n, 8), [n, 2, 2, 1]);
  const momentsOf = async (x: Tensor) => {
    const logs = ops.reshape(ops.log(x), [-1, 4]);
    const mean = ops.mean(logs, { axes: 0, keepDims: true });
    const centered = ops.subtract(logs, mean);
    const covariance = ops.multiply(ops.matmul(centered, centered, { transposeA: true }), 1 / x.shape[0]!);
    return { mean: await ops.read(mean), covariance: await ops.read(covariance) };
  };
  const data = await momentsOf(examples);
  const start = await momentsOf(correlatedStart(ops, longProcess, examples, 20_000, 3));
  const added = longProcess.volatility ** 2 * longProcess.duration;
  start.mean.forEach((value, d) => {
    expect(Math.abs(value - data.mean[d]!)).toBeLessThan(0.05);
  });
  start.covariance.forEach((value, at) => {
    expect(Math.abs(value - data.covariance[at]! - (at % 5 === 0 ? added : 0))).toBeLessThan(0.08);
  });
});

it('gives the modes their shares, which the paper’s start at T = 1 does not', async () => {
  const many = 6000;
  const shareOfFirst = async (process: Process, start: Tensor) => {
    const samples = await samplePictures(ops, process, mixtureScore(threeModes, process), start, 6, { levels: 100 });
    // Only the first component has a small log x₀.
    return samples.filter((value, at) => at % 4 === 0 && Math.log(value) < 0.35).length / many;
  };
  const examples = ops.fromData(drawMixture(threeModes, 1000, 8), [1000, 2, 2, 1]);
  const long = await shareOfFirst(longProcess, correlatedStart(ops, longProcess, examples, many, 3));
  const paper = await shareOfFirst(paperProcess, independentStart(ops, paperProcess, moments, [many, 2, 2, 1], 3));
  expect(Math.abs(long - 0.5)).toBeLessThan(0.025);
  expect(paper).toBeLessThan(0.485);
});

it('the comparison sees a score that lacks the Jacobian of the logarithm', async () => {
  const exact = mixtureScore(threeModes, paperProcess);
  const wrong: MultiplicativeScore = (o, x, t) => o.add(exact(o, x, t), 1);
  expect(compareSamples(await sample(paperProcess, wrong, { levels: 100 }), 7).pValue).toBeLessThan(0.02);
});

it('keeps values positive however large a step is, or says which sampler does not', async () => {
  const far: MultiplicativeScore = (o, x) => o.subtract(o.multiply(x, 0), 40);
  const coarse = { levels: 1, stepScale: 0.5 };
  expect((await sample(paperProcess, far, coarse)).every((value) => value > 0)).toBe(true);
  await expect(sample(paperProcess, far, { ...coarse, rule: 'unconstrained' })).rejects.toMatchObject({
    code: 'NON_FINITE',
  });
});

it.each([
  [{ inner: 0 }, 'INVALID_ARGUMENT', 'inner'],
  [{ levels: -3 }, 'INVALID_ARGUMENT', 'levels'],
  [{ stepScale: 0 }, 'INVALID_ARGUMENT', 'stepScale'],
  [{ decay: 1.5 }, 'INVALID_ARGUMENT', 'decay'],
  [{ rule: 'dahl' }, 'INVALID_ARGUMENT', 'rule'],
  [{ steps: 10 }, 'UNKNOWN_OPTION', 'steps'],
])('refuses %o', async (options, code, subject) => {
  const score = mixtureScore(threeModes, paperProcess);
  await expect(sample(paperProcess, score, options as SamplerOptions)).rejects.toMatchObject({ code, subject });
});
