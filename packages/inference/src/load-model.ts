import {
  type Backend,
  checkBackend,
  createOperations,
  type ImagePreprocessing,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
} from '@lmd/core';
import { type PackedModel, type PretrainedModel, precisionPreset, type Vit } from '@lmd/models';
import { decodeInBrowser, drawInBrowser } from './browser-images.js';
import type { Classification, ClassifyOptions } from './classify.js';
import type { ModelDescription } from './description.js';
import { continueText, type GenerationOptions, type TextStream } from './generate-text.js';
import { type ImageInput, type ImageReader, type PreparedImage, readImage } from './image-input.js';
import { type ImageModel, type Inputs, imageModel } from './image-model.js';
import { languageModelOf } from './language-model.js';
import { thisInference } from './made-by.js';
import { type ModelFile, modelOf, openModel } from './model-file.js';
import { type ModelSource, modelFilesOf } from './model-sources.js';
import type { OpenPosterior, Posterior } from './posterior-source.js';
import { parsePreprocessing } from './preprocessing-settings.js';

/** The options of `loadModel`, declared once. */
export const loadModelOptionTable = {
  /** The backend, which stays the caller's: `await chooseBackend()`, or one of `@lmd/backends`. An object; required. */
  backend: option.object<Backend>({
    required: true,
    describe: "The backend, which stays the caller's: `await chooseBackend()`, or one of `@lmd/backends`.",
  }),
  /**
   * Format of the forward pass, a name that `precisionPreset` takes. Default: that in which the model was trained;
   * `fp32` for models of other libraries.
   */
  format: option.text({
    describe:
      'Format of the forward pass, a name that `precisionPreset` takes. Default: that in which the model was ' +
      'trained; `fp32` for models of other libraries.',
  }),
  /** Names of the classes by label. Default: those of the file. A list of names. */
  classNames: option.value<readonly string[]>({
    describe: 'Names of the classes by label. Default: those of the file.',
    allowed: 'a list of names',
    check: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  }),
  /** How a picture becomes an input. Default: that of the file. An object. */
  preprocessing: option.object<ImagePreprocessing>({
    describe: 'How a picture becomes an input. Default: that of the file.',
  }),
  /**
   * For `samples` of `classify`: `posteriorSampling` of `@lmd/inference/posterior`. Default: none; in
   * `@lmd/inference/node`, `posteriorSampling`. A function.
   */
  posterior: option.value<OpenPosterior>({
    describe:
      'For `samples` of `classify`: `posteriorSampling` of `@lmd/inference/posterior`. Default: none; in ' +
      '`@lmd/inference/node`, `posteriorSampling`.',
    allowed: 'a function',
    check: (value) => typeof value === 'function',
  }),
} as const satisfies OptionTable;

export interface LoadModelOptions extends OptionsOf<typeof loadModelOptionTable> {}

/** A model with its weights on a backend. `Image` is what it takes as a picture. */
export interface LoadedModel<Image = ImageInput> {
  /** What the model knows of itself. */
  readonly description: ModelDescription;
  /** By label; empty for a language model. The indices if the file has no names. */
  readonly classNames: readonly string[];
  /** How a picture is prepared; undefined if it is not known. */
  readonly preprocessing: ImagePreprocessing | undefined;
  /** Notes for the user, such as that the file has no class names. */
  readonly notes: readonly string[];
  /** The input of the network for a picture, which `classify` and `embed` take as well. */
  prepare(image: Image): Promise<PreparedImage>;
  /** Classifies a picture, or several in batches. Reading one that cannot be decoded throws `DATA_CORRUPT`. */
  classify(image: Image, options?: ClassifyOptions): Promise<Classification>;
  classify(images: readonly Image[], options?: ClassifyOptions): Promise<Classification[]>;
  /** The features before the head, pooled: [width of the network]. */
  embed(image: Image): Promise<Float32Array>;
  embed(images: readonly Image[]): Promise<Float32Array[]>;
  /** Continues a text. */
  generate(prompt: string, options?: GenerationOptions): TextStream;
  /** Frees the weights. The backend stays open. */
  dispose(): void;
}

/** How pictures are read where the program runs. */
export type ImageReading = Pick<ImageReader, 'decode' | 'decodeFile' | 'draw'>;

/**
 * Loads a model: of lmd, packed ones included, or of transformers or timm with its `config.json`. Works in browsers,
 * workers and Node. In Node, `loadModel` of `@lmd/inference/node` takes paths and decodes image files as well.
 *
 * @throws LmdError naming the source, the file, or the setting, with what to do.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions): Promise<LoadedModel> {
  const checked = resolveOptions('loadModel', loadModelOptionTable, options);
  const file = await openModel(await modelFilesOf(source));
  return loadFrom<ImageInput>(file, checked, { decode: decodeInBrowser, draw: drawInBrowser });
}

/** The same for an open file, which it closes. */
export async function loadFrom<Image extends ImageInput | string>(
  file: ModelFile,
  options: LoadModelOptions,
  reading: ImageReading,
): Promise<LoadedModel<Image>> {
  try {
    return await load<Image>(file, resolveOptions('loadModel', loadModelOptionTable, options), reading);
  } finally {
    await file.close();
  }
}

async function load<Image extends ImageInput | string>(
  file: ModelFile,
  { backend, format, posterior: posteriorOf, ...given }: LoadModelOptions,
  reading: ImageReading,
): Promise<LoadedModel<Image>> {
  checkBackend(backend, { receiver: thisInference });
  const description = describedWith(file, given);
  const model = modelOf(description);
  if (description === undefined || model === undefined) throw undescribed(file.path);
  const precision = precisionPreset(format ?? description.precision ?? 'fp32');
  const language = model.architecture === 'gpt2' ? await languageModelOf(file.path, description) : undefined;
  const ops = createOperations(backend);
  const { weights, packedWeights } = await weightsOf(file, ops, model);
  let posterior: Promise<Posterior> | undefined;
  let openPosterior: Posterior | undefined;
  let isDisposed = false;

  const classNames = model.architecture === 'gpt2' ? [] : classNamesOf(description, model);
  const notes = notesOf(file, description, classNames);

  function use<Part>(needed: string, part: Part | undefined): Part {
    if (isDisposed) {
      throw new LmdError('TENSOR_DISPOSED', `${file.path} has been disposed of.`, {
        subject: 'model',
        remedy: 'Load it again.',
      });
    }
    if (part !== undefined) return part;
    throw new LmdError('INVALID_ARGUMENT', `${file.path} is a ${model!.architecture}, which cannot ${needed}.`, {
      subject: 'model',
      value: model!.architecture,
      remedy: needed === 'generate text' ? 'Load a language model (gpt2).' : 'Load a model of images (vit).',
    });
  }

  const images = model.architecture === 'vit' ? imagesOf(model) : undefined;

  function imagesOf(vit: Vit): { readonly model: ImageModel; readonly reader: ImageReader } {
    const { imageSize, channels } = vit.config;
    const shape = [imageSize, imageSize, channels];
    checkInput(file.path, description!.preprocessing, shape);
    return {
      reader: { shape, preprocessing: description!.preprocessing, ...reading },
      model: imageModel({
        ...{ ops, model: vit, weights, precision, classNames, seed: description!.seed ?? 0 },
        posterior() {
          posterior ??= openPosteriorOf(vit);
          return posterior;
        },
      }),
    };
  }

  async function openPosteriorOf(vit: Vit): Promise<Posterior> {
    if (posteriorOf === undefined) throw withoutSampling();
    const checkpoint = await file.checkpoint?.();
    const opened = await posteriorOf(ops, { path: file.path, description: description!, model: vit, checkpoint });
    // The model was disposed of in the meantime.
    if (isDisposed) opened.dispose();
    else openPosterior = opened;
    return opened;
  }

  /** One picture gives one result, a list gives a list. */
  async function each<Result>(
    given: Image | readonly Image[],
    reader: ImageReader,
    run: (inputs: Inputs) => Promise<Result[]>,
  ): Promise<Result | Result[]> {
    const list = Array.isArray(given) ? (given as readonly Image[]) : [given as Image];
    const batch = (from: number, to: number) =>
      Promise.all(list.slice(from, to).map((image) => readImage(image, reader)));
    const results = await run({ size: list.length, batch });
    return Array.isArray(given) ? results : results[0]!;
  }

  return {
    description,
    classNames,
    preprocessing: description.preprocessing,
    notes,
    async prepare(image) {
      const { reader } = use('classify images', images);
      return { data: await readImage(image, reader), shape: reader.shape };
    },
    classify: (async (given: Image | readonly Image[], options: ClassifyOptions = {}) => {
      const { model, reader } = use('classify images', images);
      return each(given, reader, (inputs) => model.classify(inputs, options));
    }) as LoadedModel<Image>['classify'],
    embed: (async (given: Image | readonly Image[]) => {
      const { model, reader } = use('embed images', images);
      return each(given, reader, (inputs) => model.embed(inputs));
    }) as LoadedModel<Image>['embed'],
    generate(prompt, options = {}) {
      return continueText(ops, use('generate text', language), { weights, packedWeights }, precision, prompt, options);
    },
    dispose() {
      if (isDisposed) return;
      isDisposed = true;
      ops.dispose(weights);
      for (const { tensors } of Object.values(packedWeights)) ops.dispose(tensors);
      openPosterior?.dispose();
    },
  };
}

/** The description of the file, with what the caller gives instead. */
function describedWith(
  file: ModelFile,
  { classNames, preprocessing }: Pick<LoadModelOptions, 'classNames' | 'preprocessing'>,
): ModelDescription | undefined {
  const description = file.describe();
  if (description === undefined) return undefined;
  return {
    ...description,
    ...(classNames === undefined ? {} : { classNames }),
    ...(preprocessing === undefined
      ? {}
      : { preprocessing: parsePreprocessing(preprocessing, 'loadModel: preprocessing', 'INVALID_ARGUMENT') }),
  };
}

function classNamesOf({ classNames }: ModelDescription, { config }: Vit): readonly string[] {
  if (classNames === undefined) return Array.from({ length: config.classes }, (_, label) => String(label));
  if (classNames.length === config.classes) return classNames;
  throw new LmdError('INVALID_ARGUMENT', `classNames has ${classNames.length} names.`, {
    subject: 'classNames',
    value: classNames,
    remedy: `The model has ${config.classes} classes: give a name for each.`,
  });
}

function notesOf(
  { path, notes }: ModelFile,
  { classNames, preprocessing, unsupportedPreprocessing }: ModelDescription,
  shown: readonly string[],
): readonly string[] {
  const isNamed = classNames !== undefined || shown.length === 0;
  const isUnsupported = preprocessing === undefined && unsupportedPreprocessing !== undefined;
  return [
    ...notes,
    ...(isNamed ? [] : [`${path} has no class names: classes are shown by their index`]),
    ...(isUnsupported ? [`${path} has preprocessing that is not supported: ${unsupportedPreprocessing}`] : []),
  ];
}

/** Preprocessing gives inputs of the network's shape, or it is that of another model. */
function checkInput(path: string, preprocessing: ImagePreprocessing | undefined, shape: readonly number[]): void {
  if (preprocessing === undefined) return;
  const { height, width, channels } = preprocessing;
  if ([height, width, channels].join() === shape.join()) return;
  const sizes = `height, width and channels ${height}, ${width} and ${channels}`;
  throw new LmdError('SHAPE_MISMATCH', `The preprocessing has ${sizes}, but ${path} needs ${shape.join(', ')}.`, {
    subject: 'preprocessing',
    value: preprocessing,
    remedy: 'Use the preprocessing of this model.',
  });
}

/** A GPT-2 keeps its packed matrices packed. */
async function weightsOf(
  file: ModelFile,
  ops: ReturnType<typeof createOperations>,
  model: PretrainedModel,
): Promise<PackedModel> {
  const isPacked = model.architecture === 'gpt2' && file.packedFormat !== undefined;
  if (isPacked && file.packedWeights !== undefined) return file.packedWeights(ops, model);
  return { weights: await file.weights(ops, model), packedWeights: {} };
}

function withoutSampling(): LmdError {
  return new LmdError('INVALID_ARGUMENT', 'samples needs the option posterior of loadModel.', {
    subject: 'samples',
    remedy:
      "Import { posteriorSampling } from '@lmd/inference/posterior', and pass { backend, posterior: posteriorSampling }.",
  });
}

function undescribed(path: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${path} has no description of its network.`, {
    subject: 'source',
    value: path,
    remedy:
      'Use a model that lmd wrote, or pass the config.json of transformers or timm with it (for timm, with the ' +
      'number of heads).',
  });
}
