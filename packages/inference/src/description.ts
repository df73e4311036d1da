import {
  type ImagePreprocessing,
  LmdError,
  parseForeignJson,
  showValue,
  type WeightsKind,
  weightsKinds,
} from '@lmd/core';
import type { TokenizerDescription } from '@lmd/data/text';
import { type Gpt2Config, precisionNames, type VitConfig } from '@lmd/models';
import { parsePreprocessing } from './preprocessing-settings.js';

/** The `format` of a model file of lmd. */
export const modelFormat = 'lmd-model-v1';

/** Our network of a model, by its options; of a model of another library, those that its files specify. */
export type DescribedNetwork =
  | { readonly architecture: 'gpt2'; readonly config: Partial<Gpt2Config> }
  | { readonly architecture: 'vit'; readonly config: Partial<VitConfig> }
  /** A network of a third party's module, which only `lmd` with that module can build. */
  | { readonly architecture: 'module'; readonly config: { readonly [name: string]: unknown } };

/** The optimizer that trained a model. */
export interface DescribedOptimizer {
  /** Its name in the run. */
  readonly name: string;
  /** Its rule: one of `optimizerRules` of @lmd/core, or a custom one. */
  readonly rule: string;
  /** Its options and their schedules, as `optimizerFromDescription` takes them, to sample from its posterior. */
  readonly options?: { readonly [option: string]: unknown };
  readonly schedules?: { readonly [option: string]: unknown };
  /** Options of AdamW for the weights that the optimizer does not train. */
  readonly rest?: { readonly [option: string]: unknown };
}

/** What a model knows of itself beside its weights. */
export type ModelDescription = DescribedNetwork & {
  /** Name of the configuration that trained it. */
  readonly name?: string;
  /** By label. */
  readonly classNames?: readonly string[];
  /** How a picture becomes an input. */
  readonly preprocessing?: ImagePreprocessing;
  /** Why the preprocessing of another library is not in `preprocessing`, though the model has one. Not stored. */
  readonly unsupportedPreprocessing?: string;
  /** As `tokenizerFromDescription` takes it; of a custom tokenizer, its name. */
  readonly tokenizer?: TokenizerDescription | { readonly name: string };
  /** The format of the forward pass in training: a name that `precisionPreset` takes. */
  readonly precision?: string;
  readonly optimizer?: DescribedOptimizer;
  /** Which weights of the posterior are stored. */
  readonly weights?: WeightsKind;
  readonly seed?: number;
  /** Steps of training. */
  readonly steps?: number;
  /** Versions of the packages that trained it, by name. */
  readonly versions?: { readonly [packageName: string]: string };
};

/** The description as metadata of a safetensors file. A description gives the same text every time. */
export function describeInMetadata(description: ModelDescription): Record<string, string> {
  const { architecture, config, name, weights, precision, seed, steps, optimizer } = description;
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const metadata = {
    format: modelFormat,
    name,
    optimizer: optimizer?.name,
    rule: optimizer?.rule,
    optimizerOptions: json(optimizer?.options),
    optimizerSchedules: json(optimizer?.schedules),
    optimizerRest: json(optimizer?.rest),
    weights,
    precision,
    seed: json(seed),
    steps: json(steps),
    architecture,
    config: JSON.stringify(config),
    classNames: json(description.classNames),
    preprocessing: json(description.preprocessing),
    tokenizer: json(description.tokenizer),
    versions: json(description.versions),
  };
  return Object.fromEntries(
    Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Parses the metadata of a model file of lmd. Keys that an older version did not write are absent.
 *
 * @param file as errors call it.
 * @returns undefined if the file does not describe its network.
 * @throws LmdError `DATA_CORRUPT` naming the file, the key and the value.
 */
export function parseDescription(
  metadata: Readonly<Record<string, string>>,
  file: string,
): ModelDescription | undefined {
  const of = (key: string) => `${file}: the metadata "${key}"`;
  const corrupt = (key: string, problem: string, value: unknown) =>
    new LmdError('DATA_CORRUPT', `${of(key)} ${problem}.`, { subject: key, value, remedy: 'Export the model again.' });
  const json = (key: string): unknown =>
    metadata[key] === undefined ? undefined : parseForeignJson(metadata[key], of(key));
  const object = (key: string) => {
    const value = json(key);
    if (value === undefined || isObject(value)) return value;
    throw corrupt(key, `is ${showValue(value)}, but must be an object`, value);
  };
  const oneOf = <Name extends string>(key: string, allowed: readonly Name[]): Name | undefined => {
    const value = metadata[key];
    if (value === undefined || allowed.includes(value as Name)) return value as Name | undefined;
    throw corrupt(key, `is ${showValue(value)}, but must be ${allowed.map((one) => `"${one}"`).join(' or ')}`, value);
  };
  const count = (key: string): number | undefined => {
    const value = json(key);
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0))
      return value as number | undefined;
    throw corrupt(key, `is ${showValue(value)}, but must be a whole number, at least 0`, value);
  };

  const architecture = oneOf('architecture', ['gpt2', 'vit', 'module']) ?? 'gpt2';
  const config = object('config');
  if (config === undefined) return undefined;
  const classNames = json('classNames');
  if (classNames !== undefined && !isTextList(classNames)) {
    throw corrupt('classNames', `is ${showValue(classNames)}, but must be a list of names`, classNames);
  }
  const { classes } = config as { classes?: unknown };
  if (classNames !== undefined && classNames.length !== classes) {
    const problem = `has ${classNames.length} names, but "config" has classes = ${showValue(classes)}`;
    throw corrupt('classNames', problem, classNames);
  }
  const versions = object('versions');
  if (versions !== undefined && !isTextList(Object.values(versions))) {
    throw corrupt('versions', `is ${showValue(versions)}, but must have a text for each package`, versions);
  }
  const { rule } = metadata;
  const preprocessing = json('preprocessing');
  const known = {
    name: metadata.name,
    classNames,
    preprocessing: preprocessing === undefined ? undefined : parsePreprocessing(preprocessing, of('preprocessing')),
    tokenizer: tokenizerIn(metadata, file),
    precision: oneOf('precision', precisionNames),
    optimizer:
      rule === undefined
        ? undefined
        : withoutUndefined({
            name: metadata.optimizer ?? rule,
            rule,
            options: object('optimizerOptions'),
            schedules: object('optimizerSchedules'),
            rest: object('optimizerRest'),
          }),
    weights: oneOf('weights', weightsKinds),
    seed: count('seed'),
    steps: count('steps'),
    versions,
  };
  return { architecture, config, ...withoutUndefined(known) } as ModelDescription;
}

/** The description of a tokenizer in metadata, whose contents `tokenizerFromDescription` checks. */
export function tokenizerIn(metadata: Readonly<Record<string, string>>, file: string): ModelDescription['tokenizer'] {
  if (metadata.tokenizer === undefined) return undefined;
  const owner = `${file}: the metadata "tokenizer"`;
  const value = parseForeignJson(metadata.tokenizer, owner);
  if (isObject(value) && typeof value.name === 'string') return value as { readonly name: string };
  throw new LmdError('DATA_CORRUPT', `${owner} is ${showValue(value)}, but must be an object with a name.`, {
    subject: 'tokenizer',
    value,
    remedy: 'Export the model again.',
  });
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Without the keys that are undefined. */
function withoutUndefined<T extends object>(record: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
