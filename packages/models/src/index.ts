export { type AddedClass, addClass, type ClassHead, imprintClass } from './add-class.js';
export { linearParameters, type ParameterSpecifications } from './block-parameters.js';
export { type FineTuned, partlyTrained } from './fine-tuned.js';
export { type GenerateEnd, type GenerateOptions, generate, generateOptionTable } from './generate.js';
export {
  type GeneratedText,
  type GenerateTextOptions,
  generateText,
  generateTextOptionTable,
  type TextEnd,
  type TokenDecoder,
} from './generate-text.js';
export { type CachedLogits, type Gpt2, gpt2, type InferenceContext } from './gpt2.js';
export { type Gpt2Config, gpt2OptionTable, type ResolvedGpt2Config } from './gpt2-config.js';
export { type Gpt2PresetName, gpt2Preset, gpt2Presets } from './gpt2-presets.js';
export { type Initialization, initializeParameters, type ParameterSpecification } from './initialization.js';
export { languageModelLoss } from './language-model-loss.js';
export { type AttentionLayerOptions, attention } from './layers/attention.js';
export { cacheFormatNames } from './layers/cache-format.js';
export { cacheBytesPerToken, type KeyValueCache } from './layers/cached-block.js';
export type { LayerContext } from './layers/context.js';
export { dropout, stochasticDepth } from './layers/dropout.js';
export { layerNorm } from './layers/layer-norm.js';
export { linear } from './layers/linear.js';
export { mlp } from './layers/mlp.js';
export { patchEmbedding, patchify, unpatchify } from './layers/patch-embedding.js';
export { sinusoidalPositions } from './layers/sinusoidal-positions.js';
export { type TransformerBlockOptions, transformerBlock } from './layers/transformer-block.js';
export { type Lora, type LoraOptions, lora, loraOptionTable } from './lora.js';
export { type PackedModel, packWeight, packWeights } from './packed-weights.js';
export { defaultsBeside, groupsBesideAdamw, lmdParameter, muonParameter } from './parameter-groups.js';
export { fullPrecision, precisionNames, precisionPreset } from './precision.js';
export {
  type AdapterConfigJson,
  type AdapterSource,
  type ExportAdaptersOptions,
  type ExportedAdapters,
  exportAdapters,
  mergeAdapters,
} from './pretrained/adapters.js';
export {
  type ConfigJson,
  type ConfigJsonOptions,
  configJsonOf,
  modelFromConfigJson,
  type PretrainedModel,
} from './pretrained/config-json.js';
export { contractionAxes } from './pretrained/contraction-axes.js';
export { describeExport, type ModelKnowledge } from './pretrained/describe-export.js';
export {
  describePretrained,
  type PretrainedDescription,
  type PretrainedKnowledge,
} from './pretrained/describe-pretrained.js';
export {
  type Exported,
  type ExportedTensor,
  type ExportPretrainedOptions,
  exportPretrained,
} from './pretrained/export-pretrained.js';
export { type Imported, type ImportSource, importPretrained } from './pretrained/import-pretrained.js';
export { type LayoutName, layoutOfTensors, type RecognizedLayout } from './pretrained/layout-of.js';
export type { PretrainedTensor, PretrainedTensors } from './pretrained/tensors.js';
export { type ProductOptions, quantizedMatmul } from './quantized-matmul.js';
export { type SamplingOptions, type SamplingPoint, sampleToken, samplingOptionTable } from './sampling.js';
export { type StopSequenceFilter, stopSequenceFilter } from './stop-sequences.js';
export { type Vit, vit } from './vit.js';
export { type ResolvedVitConfig, type VitConfig, vitOptionTable } from './vit-config.js';
export { type VitPresetName, vitPreset, vitPresets } from './vit-presets.js';
export type { WeightMatch } from './weight-match.js';
