import { type ImagePreprocessing, LmdError, parseForeignJson } from '@lmd/core';
import { type Tokenizer, tokenizerFromDescription } from '@lmd/data/text';
import type { ModelFile } from '../model-file/weights.js';

/** What a model file says beyond its weights and geometry. */
export interface ModelFileKnowledge {
  readonly classNames?: readonly string[];
  readonly preprocessing?: ImagePreprocessing;
  readonly tokenizer?: Tokenizer;
  /** The same as metadata of a model of lmd. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Class names, preprocessing and tokenizer of a model: from the metadata of a model of lmd, from the files of another
 * library otherwise.
 *
 * @throws LmdError `DATA_CORRUPT` for damaged metadata.
 */
export async function knowledgeOf({
  path,
  layout,
  metadata,
  describe,
}: Pick<ModelFile, 'path' | 'layout' | 'metadata' | 'describe'>): Promise<ModelFileKnowledge> {
  const parsed = (key: string): unknown =>
    metadata[key] === undefined ? undefined : parseForeignJson(metadata[key], `${path}: the metadata "${key}"`);
  const described = layout === 'lmd' ? undefined : describe();
  const classNames = parsed('classNames') ?? described?.classNames;
  const preprocessing = parsed('preprocessing') ?? described?.preprocessing;
  const tokenizer = parsed('tokenizer');
  const isNames = Array.isArray(classNames) && classNames.every((name) => typeof name === 'string');
  if (classNames !== undefined && !isNames) throw corrupt(path, 'classNames', 'a list of strings');
  if (preprocessing !== undefined && !isPreprocessing(preprocessing)) {
    throw corrupt(path, 'preprocessing', 'an object that says how an image becomes an input');
  }
  const entries = { classNames, preprocessing, tokenizer };
  return {
    ...(isNames ? { classNames: classNames as readonly string[] } : {}),
    ...(preprocessing === undefined ? {} : { preprocessing: preprocessing as ImagePreprocessing }),
    ...(tokenizer === undefined ? {} : { tokenizer: await tokenizerFromDescription(tokenizer) }),
    metadata: Object.fromEntries(
      Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, JSON.stringify(value)]])),
    ),
  };
}

function isPreprocessing(value: unknown): value is ImagePreprocessing {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as { readonly [name in keyof ImagePreprocessing]: unknown };
  const isPositive = (number: unknown) => typeof number === 'number' && number > 0;
  const isPerChannel = (numbers: unknown) =>
    Array.isArray(numbers) && numbers.length === given.channels && numbers.every(Number.isFinite);
  return (
    [given.height, given.width, given.channels].every((side) => Number.isSafeInteger(side) && isPositive(side)) &&
    ['crop', 'stretch'].includes(given.fit as string) &&
    isPositive(given.cropFraction) &&
    (given.cropFraction as number) <= 1 &&
    ['bilinear', 'bicubic'].includes(given.interpolation as string) &&
    isPerChannel(given.mean) &&
    isPerChannel(given.standardDeviation) &&
    ['exif', 'stored'].includes(given.orientation as string)
  );
}

function corrupt(path: string, key: string, what: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path}: the metadata "${key}" must be ${what}.`, {
    subject: key,
    value: path,
    remedy: 'Export the model again.',
  });
}
