export type { Schedule } from '../options/schedule.js';
export { type AdamwOptions, adamw, adamwDefaults, adamwOptionTable } from './adamw.js';
export { checkFinite } from './check-finite.js';
export { clipByGlobalNorm, globalNorm } from './clip.js';
export {
  type ExponentiatedGradientOptions,
  exponentiatedGradient,
  exponentiatedGradientOptionTable,
} from './exponentiated-gradient.js';
export { frozen } from './frozen.js';
export { accumulateGradients, scaleGradients } from './gradients.js';
export { injectHyperparameters } from './inject-hyperparameters.js';
export { injectWeightNoise, type WeightNoiseOptions, weightNoiseOptionTable } from './inject-weight-noise.js';
export { type IvonOptions, ivon, ivonOptionTable } from './ivon.js';
export { type LieGroupAdditiveOptions, lieGroupAdditive, lieGroupAdditiveOptionTable } from './lie-group-additive.js';
export { type LieGroupAffineOptions, lieGroupAffine, lieGroupAffineOptionTable } from './lie-group-affine.js';
export {
  type LieGroupMultiplicativeOptions,
  lieGroupMultiplicative,
  lieGroupMultiplicativeOptionTable,
} from './lie-group-multiplicative.js';
export { type LionOptions, lion, lionOptionTable } from './lion.js';
export { lmd } from './lmd.js';
export { type LmdLogMedians, lmdLogMedians, lmdWeightNames } from './lmd-log-medians.js';
export { type LmdOptions, lmdDefaults, lmdOptionTable } from './lmd-options.js';
export { type LmdInitialization, lmdInitializations } from './lmd-prior.js';
export { type LmdRegularizerName, lmdDivergences, lmdRegularizers } from './lmd-regularizers.js';
export { type LmdStateFormatName, lmdStateFormats } from './lmd-state-format.js';
export { type MadamOptions, madam, madamOptionTable } from './madam.js';
export {
  type MultiplicativeWeightsOptions,
  multiplicativeWeights,
  multiplicativeWeightsOptionTable,
} from './multiplicative-weights.js';
export { type MuonOptions, muon, muonOptionTable } from './muon.js';
export * from './optimizer.js';
export {
  clippingOptionTable,
  type OptimizerDescription,
  type OptimizerRule,
  type OptimizerRuleName,
  optimizerFromDescription,
  optimizerRules,
  type RuleDescription,
  type ScheduleDescription,
  scheduleOptionTable,
} from './optimizer-from-description.js';
export { type ParameterGroup, parameterGroups, type WeightPredicate } from './parameter-groups.js';
export {
  meanGradient,
  movingAverage,
  type PerWeightRule,
  perWeightRule,
  storedWeight,
  type Vectors as WeightVectors,
  type WeightPass,
} from './per-weight-rule.js';
export type { DecayOptions } from './schedules.js';
export * as schedules from './schedules.js';
export { type SgdOptions, sgd, sgdOptionTable } from './sgd.js';
export { type SignumOptions, signum, signumOptionTable } from './signum.js';
export {
  checkPasses,
  checkVectors,
  checkWeights,
  disposeState,
  freshHandle,
  gradientsOf,
  stateBytes,
  stateName,
  vectorOf,
  weightNames,
  weightOf,
} from './state.js';
