export { type AdamwOptions, adamw, adamwDefaults } from './adamw.js';
export { checkFinite } from './check-finite.js';
export { clipByGlobalNorm, globalNorm } from './clip.js';
export { type ExponentiatedGradientOptions, exponentiatedGradient } from './exponentiated-gradient.js';
export { frozen } from './frozen.js';
export { accumulateGradients, scaleGradients } from './gradients.js';
export { injectHyperparameters } from './inject-hyperparameters.js';
export { type IvonOptions, ivon } from './ivon.js';
export { type LieGroupAdditiveOptions, lieGroupAdditive } from './lie-group-additive.js';
export { type LieGroupAffineOptions, lieGroupAffine } from './lie-group-affine.js';
export { type LieGroupMultiplicativeOptions, lieGroupMultiplicative } from './lie-group-multiplicative.js';
export { type LionOptions, lion } from './lion.js';
export { lmd } from './lmd.js';
export { type LmdLogMedians, lmdLogMedians, lmdWeightNames } from './lmd-log-medians.js';
export { type LmdOptions, lmdDefaults, lmdRegularizers } from './lmd-options.js';
export { type LmdInitialization, lmdInitializations } from './lmd-prior.js';
export { type LmdStateFormatName, lmdStateFormats } from './lmd-state-format.js';
export { type MadamOptions, madam } from './madam.js';
export * from './optimizer.js';
export {
  type OptimizerDescription,
  type OptimizerRuleName,
  optimizerFromDescription,
  optimizerRules,
  type RuleDescription,
  type ScheduleDescription,
} from './optimizer-from-description.js';
export { type ParameterGroup, parameterGroups, type WeightPredicate } from './parameter-groups.js';
export type { DecayOptions } from './schedules.js';
export * as schedules from './schedules.js';
export { type SgdOptions, sgd } from './sgd.js';
export { disposeState, stateBytes, weightOf } from './state.js';
