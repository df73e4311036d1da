import { type ImagePreprocessing, LmdError } from '@lmd/core';
import { checkClassNames } from './class-names.js';
import { type ConfigJson, configJsonOf, generationJsonOf, type PretrainedModel } from './config-json.js';
import { processorJsonOf } from './image-processor.js';
import { timmConfigOf } from './timm-config.js';

export interface ModelKnowledge {
  /** Names of the classes of a ViT, in the order of the labels. */
  readonly classNames?: readonly string[] | undefined;
  /** How images become inputs of a ViT. */
  readonly preprocessing?: ImagePreprocessing | undefined;
  /** The token between documents of a GPT-2. Default: that of GPT-2's tokenizer, if the vocabulary has it. */
  readonly endOfText?: number | undefined;
}

/**
 * The JSON files beside the weights of a model: its `config.json`, and further ones by name. `onnx` is the folder that
 * transformers.js loads, which has those of transformers, for a ViT with mean pooling too.
 *
 * @throws LmdError `INVALID_ARGUMENT` for names or preprocessing that are not those of the model; `UNSUPPORTED` for
 *   what timm's `config.json` cannot state.
 */
export function describeExport(
  model: PretrainedModel,
  layout: 'transformers' | 'timm' | 'onnx',
  { classNames, preprocessing, endOfText }: ModelKnowledge,
): { readonly config: ConfigJson; readonly files: { readonly [name: string]: ConfigJson } } {
  if (model.architecture === 'gpt2') {
    refuse('classNames', classNames, 'A GPT-2 has no classes.');
    refuse('preprocessing', preprocessing, 'A GPT-2 has no images.');
    return {
      config: configJsonOf(model, { endOfText }),
      files: { 'generation_config.json': generationJsonOf(model, { endOfText }) },
    };
  }
  refuse('endOfText', endOfText, 'A ViT has no tokens.');
  if (classNames !== undefined) checkClassNames(classNames, model.config.classes);
  if (preprocessing !== undefined) checkPreprocessing(preprocessing, model.config);
  if (layout === 'timm') {
    const known = {
      ...(classNames === undefined ? {} : { classNames }),
      ...(preprocessing === undefined ? {} : { preprocessing }),
    };
    return { config: timmConfigOf(model.config, known), files: {} };
  }
  return {
    config: configJsonOf(model, { classNames }),
    files: preprocessing === undefined ? {} : { 'preprocessor_config.json': processorJsonOf(preprocessing) },
  };
}

function refuse(subject: string, value: unknown, why: string): void {
  if (value === undefined) return;
  throw new LmdError('INVALID_ARGUMENT', `${subject} does not apply to this model. ${why}`, {
    subject,
    value,
    remedy: 'Omit it.',
  });
}

function checkPreprocessing(
  { height, width, channels }: ImagePreprocessing,
  model: { readonly imageSize: number; readonly channels: number },
): void {
  if (height === model.imageSize && width === model.imageSize && channels === model.channels) return;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `preprocessing gives inputs of ${height} × ${width} × ${channels}, but the model takes ` +
      `${model.imageSize} × ${model.imageSize} × ${model.channels}.`,
    { subject: 'preprocessing', value: [height, width, channels], remedy: 'Use the preprocessing of this model.' },
  );
}
