import { gpt2Presets, vitPresets } from '@lmd/models';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import type { Geometry } from '../data/source.js';
import { tokenDescription } from '../data/tokens.js';
import { UsageError } from '../errors.js';
import type { ModelFile } from '../model-file/weights.js';

type Sizes = { readonly [name: string]: unknown };
type Described = Pick<ModelFile, 'path' | 'layout' | 'metadata' | 'describe'>;

/** What of a network the weights determine, by the key of the configuration. */
const keys = {
  vit: ['patchSize', 'width', 'depth', 'heads', 'mlpWidth', 'pooling', 'gelu', 'layerNormEpsilon'],
  gpt2: ['contextLength', 'width', 'depth', 'heads', 'mlpWidth', 'gelu', 'layerNormEpsilon'],
} as const;

/** Those that may differ where the weights that they shape begin from the seed. */
const resizable: readonly string[] = ['patchSize', 'contextLength', 'pooling'];

/** Rows by which an embedding may be padded beyond the tokens. */
const mostPadding = 1023;

/**
 * A model's configuration with everything that the file of its weights says of the network, so that `model.kind` and
 * `model.weights` are enough, and a run folder says the whole.
 *
 * @throws UsageError `CHECKPOINT_MISMATCH` naming a key that says otherwise than the file, or that the file does not
 *   say.
 */
export function completeModel(
  { model, data, fineTuning }: Pick<Configuration, 'model' | 'data' | 'fineTuning'>,
  file: Described,
): Configuration['model'] {
  const described = file.describe();
  if (described === undefined) return model;
  const conflict = (key: string, value: unknown, said: string, remedy: string) =>
    new UsageError('CHECKPOINT_MISMATCH', `${key} = ${String(value)}, and ${file.path} ${said}.`, {
      subject: key,
      value,
      remedy,
    });
  if (described.architecture !== model.kind) {
    throw conflict('model.kind', model.kind, `holds a ${described.architecture}`, 'Name weights of the same kind.');
  }
  const isFresh = fineTuning?.fresh !== undefined;
  const options = withMlpWidth(described.options as Sizes);
  const preset = presetSizes(model.kind, model.preset);
  const explicit = model as Sizes;
  const completed: { [name: string]: unknown } = { ...model };
  for (const key of keys[model.kind]) {
    const said = options[key];
    const given = explicit[key] ?? preset[key];
    if (said === undefined) continue;
    if (given === undefined) completed[key] = said;
    else if (given !== said && !(isFresh && resizable.includes(key))) {
      const name = explicit[key] === undefined ? `model.preset = ${model.preset} with ${key}` : `model.${key}`;
      throw conflict(name, given, `has ${key} = ${String(said)}`, 'Leave it out: the file says what it holds.');
    }
  }
  const geometry = geometryOf(data);
  if (geometry.kind === 'tokens') {
    if (!isFresh) Object.assign(completed, vocabularyOf(options, geometry, data, file));
  } else if (!isFresh) checkImages(options, geometry, file);
  for (const key of ['width', 'depth', 'heads', ...(model.kind === 'vit' ? ['patchSize'] : [])]) {
    if ((completed[key] ?? preset[key]) !== undefined) continue;
    throw new UsageError('INVALID_ARGUMENT', `model.${key} is missing, and ${file.path} does not say it.`, {
      subject: `model.${key}`,
      remedy: 'Give it as the model was trained.',
    });
  }
  return completed as Configuration['model'];
}

/** A file that says no width of the MLPs has the usual one. */
function withMlpWidth(options: Sizes): Sizes {
  const { width, mlpWidth } = options;
  return mlpWidth === undefined && typeof width === 'number' ? { ...options, mlpWidth: 4 * width } : options;
}

function presetSizes(kind: 'vit' | 'gpt2', name: string | undefined): Sizes {
  const presets: { readonly [name: string]: Sizes } = kind === 'vit' ? vitPresets : gpt2Presets;
  const sizes = name === undefined ? undefined : presets[name];
  return sizes === undefined ? {} : withMlpWidth(sizes);
}

/** More tokens than the data's are padding, where the tokenizer may be the same. */
function vocabularyOf(
  { vocabularySize }: Sizes,
  geometry: Extract<Geometry, { kind: 'tokens' }>,
  data: Configuration['data'],
  { path, layout, metadata }: Described,
): Sizes {
  if (typeof vocabularySize !== 'number' || vocabularySize === geometry.vocabularySize) return {};
  const folder = (data as Extract<Configuration['data'], { kind: 'tokens' }>).folder;
  const padding = vocabularySize - geometry.vocabularySize;
  const isSameTokenizer = layout !== 'lmd' || metadata.tokenizer === JSON.stringify(tokenDescription(folder).tokenizer);
  if (isSameTokenizer && padding > 0 && padding <= mostPadding) return { vocabularySize };
  throw new UsageError(
    'CHECKPOINT_MISMATCH',
    `data.folder = ${folder} has ${geometry.vocabularySize} tokens, and ${path} has ${vocabularySize}.`,
    { subject: 'data.folder', value: folder, remedy: 'Prepare the text with the tokenizer of the model.' },
  );
}

function checkImages(
  options: Sizes,
  { imageSize, channels, classes }: Extract<Geometry, { kind: 'images' }>,
  { path }: Described,
): void {
  const remedies = {
    imageSize: 'Give images of the size that the model was trained on (data.size).',
    channels: 'Give images with as many channels (data.channels).',
    classes: 'Begin a new head: "fineTuning": { "fresh": ["head.*"] }.',
  };
  for (const [key, value] of Object.entries({ imageSize, channels, classes })) {
    const said = options[key];
    if (said === undefined || said === value) continue;
    throw new UsageError('CHECKPOINT_MISMATCH', `The data has ${key} = ${value}, and ${path} has ${String(said)}.`, {
      subject: 'data',
      value,
      remedy: remedies[key as keyof typeof remedies],
    });
  }
}
