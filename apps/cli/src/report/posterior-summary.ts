import { z } from 'zod';
import { storedNumber } from '../run/number-codec.js';

const moments = z.object({ count: storedNumber, mean: storedNumber, standardDeviation: storedNumber });

/** The distribution of log m over some weights' positive or negative halves, and the normal fitted to it. */
const half = moments.extend({
  histogram: z.object({
    from: storedNumber,
    width: storedNumber,
    counts: z.array(storedNumber).min(1).max(10_000).readonly(),
  }),
});

const weight = z.object({
  name: z.string(),
  elements: storedNumber,
  logPriorMedian: storedNumber,
  plus: moments,
  minus: moments,
});

/** The trained posterior of LMD, as the distribution of the logarithms of its medians. Stored as `posterior.json`. */
export const posteriorSummarySchema = z.object({
  optimizer: z.string(),
  regularizer: z.string(),
  regularization: storedNumber,
  noise: storedNumber,
  /** Over all weights that LMD trains; both histograms have the same bins. */
  plus: half,
  minus: half,
  weights: z.array(weight),
});

export type HalfSummary = Readonly<z.output<typeof half>>;
export type WeightSummary = Readonly<z.output<typeof weight>>;
export type PosteriorSummary = Readonly<z.output<typeof posteriorSummarySchema>>;
