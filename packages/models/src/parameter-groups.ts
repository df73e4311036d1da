import { type Model, type OptimizerDescription, optimizerRules, type RuleDescription } from '@lmd/core';

/**
 * True for parameters that LMD can train: matrices and embedding tables with random initial values, whose spread
 * determines the medians. False for biases, gains, class tokens and position embeddings, which start at constants or
 * small noise around zero and are trained by an additive optimizer such as AdamW.
 */
export function lmdParameter(name: string, shape: readonly number[]): boolean {
  return shape.length >= 2 && (name === 'weight' || name.endsWith('.weight'));
}

/** Matrices of the input and output layers, by their names in the models of this package. */
const outerMatrices = ['patchEmbedding.weight', 'tokenEmbedding.weight', 'head.weight'];

/**
 * True for parameters that Muon can train: the hidden matrices, those of attention and MLPs. False for embeddings and
 * heads, which its authors train with AdamW as they do vectors (Jordan et al. 2024), and for all that `lmdParameter` is
 * false for. A prefix, as in `teacher.head.weight`, makes no difference.
 */
export function muonParameter(name: string, shape: readonly number[]): boolean {
  if (shape.length !== 2 || !lmdParameter(name, shape)) return false;
  return !outerMatrices.some((outer) => name === outer || name.endsWith(`.${outer}`));
}

/**
 * What AdamW takes beside an optimizer of matrices where it is not given, if that is not AdamW's own default. LMD's
 * relative steps are short, and beside them AdamW's usual rate holds back runs of hundreds to thousands of steps:
 * measured in `docs/choosing-settings.md`.
 */
export const defaultsBeside = { lmd: { learningRate: 0.005 } } as const;

/**
 * The groups of an optimizer for a model: the rule for all weights, or, if it trains matrices only, for those of
 * `lmdParameter` (of `muonParameter` for Muon), and AdamW for the rest. A group without weights is left out.
 *
 * @param parameters of the trained part of the model. In fine-tuning, a group may have no weights.
 * @param rest options of AdamW; what is left out has its default beside the rule (`defaultsBeside`).
 */
export function groupsBesideAdamw(
  own: RuleDescription,
  parameters: Model['parameters'],
  rest: NonNullable<RuleDescription['options']> = {},
): OptimizerDescription['groups'] {
  const { matricesOnly } = typeof own.rule === 'string' ? optimizerRules[own.rule] : own.rule;
  if (!matricesOnly) return [{ match: '*', ...own }];
  const match = own.rule === 'muon' ? muonParameter : lmdParameter;
  const suited = Object.entries(parameters).filter(([name, { shape }]) => match(name, shape)).length;
  const defaults = own.rule === 'lmd' ? defaultsBeside.lmd : {};
  const adamw = { rule: 'adamw', options: { ...defaults, ...rest } } as const;
  if (suited === 0) return [{ match: '*', ...adamw }];
  if (suited === Object.keys(parameters).length) return [{ match: '*', ...own }];
  return [
    { match, ...own },
    { match: '*', ...adamw },
  ];
}
