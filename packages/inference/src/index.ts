export {
  type Classification,
  type ClassifyOptions,
  type ClassProbability,
  classifyOptionTable,
} from './classify.js';
export {
  type DescribedNetwork,
  type DescribedOptimizer,
  describeInMetadata,
  type ModelDescription,
  modelFormat,
  parseDescription,
} from './description.js';
export type { FreshWeights } from './fresh-weights.js';
export { type GenerationOptions, generationOptionTable, type TextStream } from './generate-text.js';
export type { DrawableImage, ImageInput, PixelData, PreparedImage } from './image-input.js';
export { type LanguageModel, languageModelOf } from './language-model.js';
export { type LoadedModel, type LoadModelOptions, loadModel, loadModelOptionTable } from './load-model.js';
export { type ModelFile, type ModelFiles, modelOf, openModel } from './model-file.js';
export type { ModelSource, NamedBlob } from './model-sources.js';
export { type BlockCodec, float32Of, type ModelTensors, modelTensors } from './model-tensors.js';
export { type PackOptions, packTensor } from './pack-tensor.js';
export { type Dequantize, unpackWeight } from './packed-codes.js';
export { canPack, type PackedWeights, packedKey, packedPart, packedWeightsOf } from './packed-tensors.js';
export type { OpenPosterior, Posterior, PosteriorOf, StoredCheckpoint } from './posterior-source.js';
export { parsePreprocessing } from './preprocessing-settings.js';
export { indexSuffix, type TensorFile, type TensorFileParts, tensorFile } from './tensor-file.js';
