import type { Operations, OptimizerState } from '@lmd/core';
import type { LmdConfiguration } from '../configuration/optimizer-schema.js';
import type { PosteriorSummary, WeightSummary } from '../report/posterior.js';
import { extent, histogramOf, momentsOf } from '../report/statistics.js';

const bins = 80;
const suffix = '/logPlus';

/** Reads LMD's state and sums up the distribution of log m⁺ and log m⁻, over all weights and for each. */
export async function summarizePosterior(
  ops: Operations,
  state: OptimizerState,
  optimizer: LmdConfiguration,
): Promise<PosteriorSummary> {
  const read = async (name: string) => (await ops.read(state.tensors[name]!)) as Float32Array;
  const plus: Float32Array[] = [];
  const minus: Float32Array[] = [];
  const weights: WeightSummary[] = [];
  for (const key of Object.keys(state.tensors)) {
    if (!key.endsWith(suffix)) continue;
    const name = key.slice(0, -suffix.length);
    const [logPlus, logMinus, logPriorMedian] = await Promise.all([
      read(key),
      read(`${name}/logMinus`),
      read(`${name}/logPriorMedian`),
    ]);
    plus.push(logPlus);
    minus.push(logMinus);
    weights.push({
      name,
      elements: logPlus.length,
      logPriorMedian: logPriorMedian[0]!,
      plus: momentsOf([logPlus]),
      minus: momentsOf([logMinus]),
    });
  }
  const range = extent([...plus, ...minus]);
  return {
    optimizer: optimizer.name,
    regularizer: optimizer.regularizer,
    regularization: optimizer.regularization,
    noise: optimizer.noise,
    plus: { ...momentsOf(plus), histogram: histogramOf(plus, range, bins) },
    minus: { ...momentsOf(minus), histogram: histogramOf(minus, range, bins) },
    weights,
  };
}
