export type { Calibration, CalibrationBin } from './calibration.js';
export {
  type Checkpoint,
  type HostTensor,
  type LoadedCheckpoint,
  type NamedHostTensors,
  readTensors,
  writeTensors,
} from './checkpoints/checkpoint.js';
export { decodeCheckpoint, encodeCheckpoint, type Sha256 } from './checkpoints/checkpoint-format.js';
export { type ArrayDatasetOptions, arrayDataset } from './data/array-dataset.js';
export { checkDataset } from './data/check-batch.js';
export type { BatchContext, Dataset, DatasetBatch } from './data/dataset.js';
export { type FingerprintPart, fingerprintOf } from './data/fingerprint.js';
export { type ImageDatasetOptions, imageDataset, imagesOptionTable } from './data/image-dataset.js';
export { normalizationOptionTable, normalizationTable } from './data/normalization.js';
export { type DataOrder, type DataOrderOptions, dataOrder, permutation } from './data/order.js';
export { type SplitOptions, split, subset } from './data/subset.js';
export { type EvaluateOptions, type EvaluationResult, evaluate } from './evaluate.js';
export type * from './events.js';
export {
  type ExchangedStep,
  exchangeSpecVersion,
  type LocalStep,
  type SendingStep,
  type StepExchange,
} from './exchange.js';
export { checkPlugins } from './hooks.js';
export { fromJson, type Json, toJson } from './json.js';
export { type LossBatch, type LossFunction, lossOf } from './loss.js';
export { type Plugin, type PluginState, pluginSpecVersion, type TrainingData, type TrainingRun } from './plugin.js';
export { type DiagnosticsOptions, diagnostics } from './plugins/diagnostics.js';
export { type EarlyStoppingOptions, earlyStopping, earlyStoppingOptionTable } from './plugins/early-stopping.js';
export { eventListener } from './plugins/event-listener.js';
export { type FlipRateOptions, flipRate } from './plugins/flip-rate.js';
export { type GradientSignalOptions, gradientSignal } from './plugins/gradient-signal.js';
export { type LogNormality, logNormality } from './plugins/log-normality.js';
export { measureOptionTable } from './plugins/measure.js';
export { type OscillationRateOptions, oscillationRate } from './plugins/oscillation-rate.js';
export { type PriorBoundOptions, priorBound } from './plugins/prior-bound.js';
export { type Progress, type ProgressOptions, progress, progressLine } from './plugins/progress.js';
export {
  type WeightAveragingOptions,
  weightAveraging,
  weightAveragingOptionTable,
} from './plugins/weight-averaging.js';
export { type WeightGrowthOptions, weightGrowth } from './plugins/weight-growth.js';
export { type TrainResult, train } from './train.js';
export { type TrainOptions, trainOptionTable } from './train-options.js';
export { areaUnderRoc } from './uncertainty/area-under-roc.js';
export {
  averagedCounts,
  evaluateUncertainty,
  type UncertaintyResult,
} from './uncertainty/evaluate-uncertainty.js';
export { type UncertaintyOptions, uncertaintyOptionTable } from './uncertainty/options.js';
export type { PredictionScores } from './uncertainty/row-totals.js';
