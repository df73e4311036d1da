import type { LmdRegularizer } from '../optimizer-kernels.js';

/**
 * The priors that LMD's regularization can pull toward. Which one is a choice of ours; see `LmdOptions.regularizer`.
 */
export const lmdRegularizers = [
  'logNormalPrior',
  'powerPrior',
  'exponentialPrior',
  'halfNormalPrior',
] as const satisfies readonly LmdRegularizer[];

/** Priors whose regularizer includes the entropy of the posterior: gradients of a divergence. */
export const lmdDivergences = ['exponentialDivergence', 'halfNormalDivergence'] as const;

export type LmdRegularizerName = LmdRegularizer | (typeof lmdDivergences)[number];
