import { type EagerOperations, lmdLogMedians, lmdWeightNames, type OptimizerState } from '@lmd/core';
import type { LmdConfiguration } from '../configuration/optimizer-schema.js';
import type { PosteriorSummary, WeightSummary } from '../report/posterior-summary.js';
import { extent, histogramOf, momentsOf } from '../report/statistics.js';
import { lmdAtEnd } from './build-optimizer.js';

const bins = 80;

/** Summarizes the distribution of log m⁺ and log m⁻ in the state of LMD, over all weights and per weight. */
export async function summarizePosterior(
  ops: EagerOperations,
  state: OptimizerState,
  optimizer: LmdConfiguration,
): Promise<PosteriorSummary> {
  const plus: Float32Array[] = [];
  const minus: Float32Array[] = [];
  const weights: WeightSummary[] = [];
  for (const name of lmdWeightNames(state)) {
    const medians = lmdLogMedians(ops, state, name, optimizer.initialization);
    const read = async (part: keyof typeof medians) => (await ops.read(medians[part])) as Float32Array;
    const logPlus = await read('logPlus');
    const logMinus = await read('logMinus');
    const priors = [await read('logPriorPlus'), await read('logPriorMinus')];
    ops.dispose({ ...medians });
    plus.push(logPlus);
    minus.push(logMinus);
    weights.push({
      name,
      elements: logPlus.length,
      logPriorMedian: momentsOf(priors).mean,
      plus: momentsOf([logPlus]),
      minus: momentsOf([logMinus]),
    });
  }
  const range = extent([...plus, ...minus]);
  return {
    optimizer: optimizer.name,
    regularizer: optimizer.regularizer,
    ...lmdAtEnd(optimizer),
    plus: { ...momentsOf(plus), histogram: histogramOf(plus, range, bins) },
    minus: { ...momentsOf(minus), histogram: histogramOf(minus, range, bins) },
    weights,
  };
}
