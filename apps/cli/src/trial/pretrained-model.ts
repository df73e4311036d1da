import { matchesGlob } from '@lmd/core';
import type { ModelFile } from '@lmd/inference';
import { gpt2Presets, vitPresets } from '@lmd/models';
import type { OwnModelConfiguration } from '../configuration/model-schema.js';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf, pathOf, tokenizerOf } from '../data/index.js';
import type { Geometry } from '../data/source.js';
import { UsageError } from '../errors.js';

type Sizes = { readonly [name: string]: unknown };
type Described = Pick<ModelFile, 'path' | 'layout' | 'metadata' | 'describe'>;

/** Configuration keys that the weights determine. */
const keys = {
  vit: ['patchSize', 'width', 'depth', 'heads', 'mlpWidth', 'pooling', 'gelu', 'layerNormEpsilon'],
  gpt2: ['contextLength', 'width', 'depth', 'heads', 'mlpWidth', 'gelu', 'layerNormEpsilon'],
} as const;

/** Keys that may differ if the weight whose shape depends on them is initialized from the seed. */
const resizable: { readonly [key: string]: string } = {
  patchSize: 'patchEmbedding.weight',
  contextLength: 'positionEmbedding',
  pooling: 'positionEmbedding',
};

/** Maximum number of padding rows of an embedding. */
const mostPadding = 1023;

/**
 * Completes the configuration of a model from the file of its weights, so that `model.kind` and `model.weights` are
 * enough, and the run folder has the complete configuration.
 *
 * @throws UsageError `CHECKPOINT_MISMATCH` naming a key that contradicts the file; `INVALID_ARGUMENT` naming one that
 *   is missing in both.
 */
export function completeModel(
  { model, data, fineTuning }: Pick<Configuration, 'data' | 'fineTuning'> & { readonly model: OwnModelConfiguration },
  file: Described,
): OwnModelConfiguration {
  const described = file.describe();
  if (described === undefined) return model;
  const conflict = (key: string, value: unknown, problem: string, remedy: string) =>
    new UsageError('CHECKPOINT_MISMATCH', `${key} is ${String(value)}, but ${file.path} ${problem}.`, {
      subject: key,
      value,
      remedy,
    });
  if (described.architecture !== model.kind) {
    throw conflict('model.kind', model.kind, `contains a ${described.architecture}`, 'Use weights of the same kind.');
  }
  const fresh = fineTuning?.fresh;
  const isFresh = fresh !== undefined;
  const begins = (weight: string | undefined) =>
    weight !== undefined && fresh?.some((pattern) => matchesGlob(pattern, weight)) === true;
  const options = withMlpWidth(described.config as Sizes);
  const preset = presetSizes(model.kind, model.preset);
  const explicit = model as Sizes;
  const completed: { [name: string]: unknown } = { ...model };
  for (const key of keys[model.kind]) {
    const stored = options[key];
    const given = explicit[key] ?? preset[key];
    if (stored === undefined) continue;
    if (given === undefined) completed[key] = stored;
    else if (given !== stored && !begins(resizable[key])) {
      const name = explicit[key] === undefined ? `model.preset = ${model.preset} with ${key}` : `model.${key}`;
      const weight = resizable[key];
      const afresh = weight === undefined ? '' : ` Or initialize the weight: "fineTuning": { "fresh": ["${weight}"] }.`;
      throw conflict(name, given, `has ${key} = ${String(stored)}`, `Omit the key: it is read from the file.${afresh}`);
    }
  }
  const geometry = geometryOf(data);
  if (geometry.kind === 'tokens') {
    if (!isFresh) Object.assign(completed, vocabularyOf(options, geometry, data, file));
  } else if (!isFresh && geometry.kind === 'images') checkImages(options, geometry, file);
  for (const key of ['width', 'depth', 'heads', ...(model.kind === 'vit' ? ['patchSize'] : [])]) {
    if ((completed[key] ?? preset[key]) !== undefined) continue;
    throw new UsageError('INVALID_ARGUMENT', `model.${key} is missing, and ${file.path} does not specify it.`, {
      subject: `model.${key}`,
      remedy: 'Use the value that the model was trained with.',
    });
  }
  return completed as OwnModelConfiguration;
}

/** The default MLP width is four times the width. */
function withMlpWidth(options: Sizes): Sizes {
  const { width, mlpWidth } = options;
  return mlpWidth === undefined && typeof width === 'number' ? { ...options, mlpWidth: 4 * width } : options;
}

function presetSizes(kind: 'vit' | 'gpt2', name: string | undefined): Sizes {
  const presets: { readonly [name: string]: Sizes } = kind === 'vit' ? vitPresets : gpt2Presets;
  const sizes = name === undefined ? undefined : presets[name];
  return sizes === undefined ? {} : withMlpWidth(sizes);
}

/** A vocabulary larger than that of the data counts as padding if the tokenizer may be the same. */
function vocabularyOf(
  { vocabularySize }: Sizes,
  geometry: Extract<Geometry, { kind: 'tokens' }>,
  data: Configuration['data'],
  { path, layout, metadata }: Described,
): Sizes {
  if (typeof vocabularySize !== 'number' || vocabularySize === geometry.vocabularySize) return {};
  const { key, path: from } = pathOf(data)!;
  const padding = vocabularySize - geometry.vocabularySize;
  const isSameTokenizer = layout !== 'lmd' || metadata.tokenizer === JSON.stringify(tokenizerOf(data));
  if (isSameTokenizer && padding > 0 && padding <= mostPadding) return { vocabularySize };
  throw new UsageError(
    'CHECKPOINT_MISMATCH',
    `data.${key} is ${from}, with a vocabulary of ${geometry.vocabularySize}, but ${path} has ${vocabularySize}.`,
    { subject: `data.${key}`, value: from, remedy: 'Use the tokenizer of the model for the text.' },
  );
}

function checkImages(
  options: Sizes,
  { imageSize, channels, classes }: Extract<Geometry, { kind: 'images' }>,
  { path }: Described,
): void {
  const remedies = {
    imageSize: 'Use images of the size that the model was trained on (data.size).',
    channels: 'Use images with the same number of channels (data.channels).',
    classes: 'Initialize a new head: "fineTuning": { "fresh": ["head.*"] }.',
  };
  for (const [key, value] of Object.entries({ imageSize, channels, classes })) {
    const stored = options[key];
    if (stored === undefined || stored === value) continue;
    throw new UsageError('CHECKPOINT_MISMATCH', `The data has ${key} = ${value}, but ${path} has ${String(stored)}.`, {
      subject: 'data',
      value,
      remedy: remedies[key as keyof typeof remedies],
    });
  }
}

/** Class names that a note lists. */
const mostNames = 5;

/** A note where images have other classes than a model whose head is trained on; undefined where they agree. */
export function noteOnClasses(
  { data, fineTuning }: Pick<Configuration, 'data' | 'fineTuning'>,
  file: Described,
): string | undefined {
  const geometry = geometryOf(data);
  const ours = geometry.kind === 'images' ? geometry.classNames : undefined;
  const theirs = file.describe()?.classNames;
  const isFresh = fineTuning?.fresh?.some((pattern) => matchesGlob(pattern, 'head.weight')) === true;
  if (ours === undefined || theirs === undefined || isFresh || ours.join('\n') === theirs.join('\n')) return undefined;
  const listed = (names: readonly string[]) =>
    names.slice(0, mostNames).join(', ') + (names.length > mostNames ? ` and ${names.length - mostNames} more` : '');
  return (
    `The data has the classes ${listed(ours)}, and ${file.path} has ${listed(theirs)}. Its head is trained on, class by ` +
    'class in this order. For a new head, set "fineTuning": { "fresh": ["head.*"] }.'
  );
}
