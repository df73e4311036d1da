import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { mixtureScore, threeModes } from './mixture.js';
import { compareSamples } from './mixture-check.js';
import { type MultiplicativeScore, type Process, paperProcess } from './process.js';
import { type SamplerOptions, samplePictures, startingNoise } from './samplers.js';

const ops = createOperations(createReferenceBackend());
const moments = { logMean: 0.35, logDeviation: 0.367 };
const count = 250;

async function sample(process: Process, score: MultiplicativeScore, options: SamplerOptions) {
  const start = startingNoise(ops, process, moments, [count, 2, 2, 1], 5);
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
  const samples = await sample(process, mixtureScore(threeModes, process), options);
  const result = compareSamples(samples, 7);
  expect(result.pValue).toBeGreaterThan(0.05);
  for (let d = 0; d < 4; d++) {
    expect(Math.abs(result.samples.mean[d]! - result.drawn.mean[d]!)).toBeLessThan(0.12);
    expect(result.samples.deviation[d]! / result.drawn.deviation[d]!).toBeGreaterThan(0.85);
    expect(result.samples.deviation[d]! / result.drawn.deviation[d]!).toBeLessThan(1.15);
  }
  expect(ops.memory().tensors).toBe(0);
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
