import { type ImagePreprocessing, isLmdError, LmdError } from '@lmd/core';
import type { Gpt2Config } from '../gpt2-config.js';
import type { VitConfig } from '../vit-config.js';
import { classNamesOf } from './class-names.js';
import { optionsOfConfigJson } from './config-json.js';
import { preprocessingOfProcessor } from './image-processor.js';
import { layoutOfTensors } from './layout-of.js';
import { preprocessingOfTimm } from './timm-config.js';
import { timmSettings } from './timm-settings.js';

/** What a model's files say beyond its geometry. */
export interface PretrainedKnowledge {
  /** Names of the classes in the order of the labels. Placeholders such as `LABEL_0` are no names. */
  readonly classNames?: readonly string[];
  /** How images become inputs. */
  readonly preprocessing?: ImagePreprocessing;
  /** Why the files' preprocessing is not in `preprocessing`, though they have one. */
  readonly unsupportedPreprocessing?: string;
}

/** The known options of a pretrained model, from its files. */
export type PretrainedDescription = PretrainedKnowledge &
  (
    | { readonly architecture: 'gpt2'; readonly options: Partial<Gpt2Config> }
    | { readonly architecture: 'vit'; readonly options: Partial<VitConfig> }
  );

/**
 * Reads the geometry of a pretrained model: of transformers from its `config.json`, of timm from the shapes of the
 * tensors and, where there is one, its `config.json`. Of timm the number of heads is missing where neither its
 * architecture nor an argument says it. Class names and preprocessing of images come from the same files.
 *
 * @param config the parsed `config.json`; undefined where there is none.
 * @param shapes of all tensors, by name.
 * @param processor the parsed `preprocessor_config.json` of transformers; undefined where there is none.
 * @returns undefined where nothing describes the model.
 * @throws LmdError `UNSUPPORTED` for a variant that our models do not have; `CHECKPOINT_MISMATCH` where `config.json`
 *   speaks of more blocks than there are; `DATA_CORRUPT` for a `config.json` that is no object.
 */
export function describePretrained(
  config: unknown,
  shapes: ReadonlyMap<string, readonly number[]>,
  processor?: unknown,
): PretrainedDescription | undefined {
  const layout = layoutOfTensors(shapes.keys());
  const isTimm = layout?.layout === 'timm' && (config === undefined || !hasModelType(config));
  if (isTimm) {
    const options = timmOptions(config, shapes);
    const { label_names: outer, pretrained_cfg: inner } = (config ?? {}) as { [name: string]: unknown };
    const labels = outer ?? (inner as { readonly label_names?: unknown } | null | undefined)?.label_names;
    const knowledge = knowledgeOf(options, labels, () => preprocessingOfTimm(config));
    return { architecture: 'vit', options, ...knowledge };
  }
  if (config === undefined) return undefined;
  const described = optionsOfConfigJson(config);
  const blocks = blockCount(shapes.keys(), /(?:^|\.)(?:h|encoder\.layer|blocks)\.(\d+)\./);
  const { depth } = described.options;
  if (layout !== undefined && blocks !== depth) {
    const name = described.architecture === 'gpt2' ? 'n_layer' : 'num_hidden_layers';
    throw new LmdError(
      'CHECKPOINT_MISMATCH',
      `config.json has ${name} = ${depth}, but the tensors have ${blocks} blocks.`,
      {
        subject: name,
        value: depth,
        remedy: 'Use config.json and tensors of the same model.',
      },
    );
  }
  if (described.architecture === 'gpt2') return described;
  const { options } = described;
  const labels = (config as { readonly id2label?: unknown }).id2label;
  const preprocessing = () =>
    processor === undefined ? undefined : preprocessingOfProcessor(processor, options.channels);
  return { ...described, ...knowledgeOf(options, labels, preprocessing) };
}

function knowledgeOf(
  { classes, imageSize, channels }: Partial<VitConfig>,
  labels: unknown,
  read: () => ImagePreprocessing | undefined,
): PretrainedKnowledge {
  const classNames = classNamesOf(labels, classes);
  const named = classNames === undefined ? {} : { classNames };
  let preprocessing: ImagePreprocessing | undefined;
  try {
    preprocessing = read();
  } catch (error) {
    if (!isLmdError(error)) throw error;
    return { ...named, unsupportedPreprocessing: error.message };
  }
  if (preprocessing === undefined) return named;
  const { height, width } = preprocessing;
  if (height === imageSize && width === imageSize && preprocessing.channels === channels) {
    return { ...named, preprocessing };
  }
  const given = `${height} × ${width} × ${preprocessing.channels}`;
  const needed = `${imageSize} × ${imageSize} × ${channels}`;
  const unsupportedPreprocessing = `Its preprocessing gives inputs of ${given}, but the model takes ${needed}.`;
  return { ...named, unsupportedPreprocessing };
}

const hasModelType = (config: unknown) => typeof config === 'object' && config !== null && 'model_type' in config;

function timmOptions(config: unknown, shapes: ReadonlyMap<string, readonly number[]>): Partial<VitConfig> {
  const [width = 0, channels = 0, patchSize = 0] = shapes.get('patch_embed.proj.weight') ?? [];
  const hasClassToken = shapes.has('cls_token');
  const positions = shapes.get('pos_embed')?.[1] ?? 0;
  const side = Math.sqrt(positions - (hasClassToken ? 1 : 0));
  const mlpWidth = shapes.get('blocks.0.mlp.fc1.weight')?.[0];
  const classes = shapes.get('head.weight')?.[0];
  const settings: Partial<VitConfig> = config === undefined ? {} : timmSettings(config, width);
  return {
    channels,
    patchSize,
    width,
    depth: blockCount(shapes.keys(), /^blocks\.(\d+)\./),
    pooling: hasClassToken ? 'classToken' : 'mean',
    ...(Number.isInteger(side) ? { imageSize: side * patchSize } : {}),
    ...(mlpWidth === undefined ? {} : { mlpWidth }),
    ...(classes === undefined ? {} : { classes }),
    ...settings,
  };
}

/** Number of blocks, from the highest index in the names. */
function blockCount(names: Iterable<string>, pattern: RegExp): number {
  const indices = new Set<number>();
  for (const name of names) {
    const index = pattern.exec(name)?.[1];
    if (index !== undefined) indices.add(Number(index));
  }
  return indices.size;
}
