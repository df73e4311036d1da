import type { EagerOperations } from '@lmd/core';
import { addNoise, type MultiplicativeScore, type Process } from '../process.js';
import { energyTest } from './energy-test.js';
import { drawMixture, mixtureScore, threeModes } from './mixture.js';

/** Relative root-mean-square error of a score at time t: of x∘s + 1, the score of log x, at points of p_t. */
export async function scoreError(
  ops: EagerOperations,
  process: Process,
  score: MultiplicativeScore,
  time: number,
  seed: number,
) {
  const count = 500;
  const [given, exact] = ops.scope(() => {
    const t = ops.full([count, 1, 1, 1], time);
    const x0 = ops.fromData(drawMixture(threeModes, count, seed), [count, 2, 2, 1]);
    const noise = ops.randomNormal(x0.shape, { seed, stream: 1, step: 0, sample: 0 });
    const xt = addNoise(ops, process, x0, t, noise);
    return [ops.keep(score(ops, xt, t)), ops.keep(mixtureScore(threeModes, process)(ops, xt, t))] as const;
  });
  const [a, b] = [(await ops.read(given)) as Float32Array, (await ops.read(exact)) as Float32Array];
  ops.dispose([given, exact]);
  const error = a.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0);
  return Math.sqrt(error / b.reduce((sum, value) => sum + (value + 1) ** 2, 0));
}

/** Samples beside as many fresh draws of the mixture: moments of log x, and the energy test. */
export function compareSamples(samples: Float32Array, seed: number) {
  const drawn = drawMixture(threeModes, samples.length / 4, seed);
  const [logSamples, logDrawn] = [samples.map(Math.log), drawn.map(Math.log)];
  const test = energyTest(logSamples, logDrawn, 4, seed);
  return { samples: moments(logSamples), drawn: moments(logDrawn), ...test };
}

function moments(logs: Float32Array) {
  const count = logs.length / 4;
  const of = (f: (index: number) => number) => Array.from({ length: 4 }, (_, index) => f(index) / count);
  const rows = Array.from({ length: count }, (_, row) => logs.subarray(4 * row, 4 * row + 4));
  const mean = of((index) => rows.reduce((sum, row) => sum + row[index]!, 0));
  const variance = of((index) => rows.reduce((sum, row) => sum + (row[index]! - mean[index]!) ** 2, 0));
  return { mean, deviation: variance.map(Math.sqrt) };
}
