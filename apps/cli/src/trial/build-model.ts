import { isLmdError, showValue } from '@lmd/core';
import { type Gpt2, gpt2, gpt2Preset, gpt2Presets, type Vit, vit, vitPreset } from '@lmd/models';
import type { DataConfiguration } from '../configuration/data-schema.js';
import type { ModelConfiguration, OwnModelConfiguration } from '../configuration/model-schema.js';
import { geometryOf } from '../data/index.js';
import type { Geometry } from '../data/source.js';
import { UsageError } from '../errors.js';
import { type ModuleModel, moduleModel } from '../modules/prepare.js';

/** A network that a run trains. */
export type Network = Gpt2 | Vit | ModuleModel;

type Of<Kind extends ModelConfiguration['kind']> = Extract<ModelConfiguration, { readonly kind: Kind }>;

/**
 * Builds the network of a configuration. Throws an `LmdError` if its sizes do not fit together, or do not fit the data.
 */
export function buildModel(model: OwnModelConfiguration, data: DataConfiguration): Gpt2 | Vit;
export function buildModel(model: ModelConfiguration, data: DataConfiguration): Network;
export function buildModel(model: ModelConfiguration, data: DataConfiguration): Network {
  if (model.kind === 'module') return moduleModel(model, data);
  const geometry = geometryOf(data);
  const needed = { vit: 'images', gpt2: 'tokens' }[model.kind];
  if (geometry.kind !== needed) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `model.kind is ${model.kind}, which needs ${needed === 'images' ? needed : 'text'}, but data.kind is ${data.kind}.`,
      {
        subject: 'model.kind',
        value: model.kind,
        remedy:
          needed === 'images'
            ? 'Use model.kind = gpt2, or a data.kind of images.'
            : 'Use model.kind = vit, or data.kind = text or tokens.',
      },
    );
  }
  return model.kind === 'vit' ? buildVit(model, geometry) : buildGpt2(model, geometry);
}

function buildVit({ kind: _, preset, weights: __, ...sizes }: Of<'vit'>, geometry: Geometry): Vit {
  const { imageSize, channels, classes } = geometry as Extract<Geometry, { kind: 'images' }>;
  const given = withoutUndefined({ ...sizes, imageSize, channels, classes });
  return named(preset, given, () =>
    vit(preset === undefined ? (given as unknown as Parameters<typeof vit>[0]) : vitPreset(preset, given)),
  );
}

function buildGpt2({ kind: _, preset, weights: __, ...sizes }: Of<'gpt2'>, geometry: Geometry): Gpt2 {
  const { vocabularySize, length } = geometry as Extract<Geometry, { kind: 'tokens' }>;
  const known = preset === undefined ? undefined : gpt2Presets[preset as keyof typeof gpt2Presets];
  const contextLength = sizes.contextLength ?? known?.contextLength ?? length;
  if (contextLength < length) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `data.length is ${length}, but the model has a context of ${contextLength} tokens.`,
      {
        subject: 'data.length',
        value: length,
        remedy: `Use at most ${contextLength}, or a larger model.contextLength.`,
      },
    );
  }
  const rows = sizes.vocabularySize ?? vocabularySize;
  if (rows < vocabularySize) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `model.vocabularySize is ${rows}, but the data has ${vocabularySize} tokens.`,
      {
        subject: 'model.vocabularySize',
        value: rows,
        remedy: `Use at least ${vocabularySize}, or omit the key.`,
      },
    );
  }
  const given = withoutUndefined({ ...sizes, vocabularySize: rows, contextLength });
  return named(preset, given, () =>
    gpt2(preset === undefined ? (given as unknown as Parameters<typeof gpt2>[0]) : gpt2Preset(preset, given)),
  );
}

/** Adds the configuration key, or the preset, to an error about a size. */
function named<T>(preset: string | undefined, given: object, build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (!isLmdError(cause) || cause.subject === undefined) throw cause;
    const { code, subject, value, remedy = '' } = cause;
    const isPreset = preset !== undefined && !Object.hasOwn(given, subject);
    const where = isPreset
      ? `model.preset = ${preset} has ${subject} = ${showValue(value)}`
      : `model.${subject} = ${showValue(value)}`;
    throw new UsageError(code, `${where}, which does not fit.`, {
      subject: isPreset ? 'model.preset' : `model.${subject}`,
      value,
      remedy: isPreset ? `${remedy} Set model.${subject}.` : remedy,
      cause,
    });
  }
}

/** Removes keys that are undefined, so that they do not override a preset's. */
function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
