export * from './backend.js';
export * from './block-products.js';
export * from './coded-rows.js';
export { type Compositions, compositions } from './compositions/index.js';
export { type ContractMarker, checkContractVersion, type ExpectedContract, ofMaker } from './contract-version.js';
export {
  type CheckOptions,
  checkBackend,
  checkModel,
  checkModelOperations,
  checkOperations,
  checkOptimizer,
} from './contracts.js';
export { createOperations } from './create-operations.js';
export * from './errors.js';
export {
  type ForeignSetting,
  type ForeignSettings,
  type ForeignSettingsOptions,
  foreignSettings,
  parseForeignJson,
  withoutByteOrderMark,
} from './foreign-settings.js';
export * from './formats.js';
export * from './fused-kernels.js';
export { matchesGlob } from './glob.js';
export type { ImagePreprocessing } from './image-preprocessing.js';
export * from './model.js';
export * from './operations.js';
export * from './optimizer-kernels.js';
export * from './optimizers/index.js';
export * from './options/index.js';
export * from './packed-matrices.js';
export * from './primitive-dtypes.js';
export { normalsFromBits } from './random/box-muller.js';
export { fillRandomNormal, fillRandomUniform } from './random/fill.js';
export { fillRandomBits, philox4x32 } from './random/philox.js';
export { assertRandomKey } from './random/random-key.js';
export { streamOf } from './random/stream.js';
export { recompute } from './recompute.js';
export { roundingDefaults, roundingOptionTable } from './rounding-options.js';
export { showValue } from './show-value.js';
export * from './tensor.js';
export { faultyWeights, type WeightFault, type WeightMatch, weightFaultKinds } from './weight-faults.js';
