import { LmdError } from '@lmd/core';
import type { Gpt2Config } from '../gpt2-config.js';
import type { VitConfig } from '../vit-config.js';
import { optionsOfConfigJson } from './config-json.js';
import { layoutOfTensors } from './layout-of.js';
import { timmSettings } from './timm-settings.js';

/** The known options of a pretrained model, from its files. */
export type PretrainedDescription =
  | { readonly architecture: 'gpt2'; readonly options: Partial<Gpt2Config> }
  | { readonly architecture: 'vit'; readonly options: Partial<VitConfig> };

/**
 * Reads the geometry of a pretrained model: of transformers from its `config.json`, of timm from the shapes of the
 * tensors and, where there is one, its `config.json`. Of timm the number of heads is missing where neither its
 * architecture nor an argument says it.
 *
 * @param config the parsed `config.json`; undefined where there is none.
 * @param shapes of all tensors, by name.
 * @returns undefined where nothing describes the model.
 * @throws LmdError `UNSUPPORTED` for a variant that our models do not have; `CHECKPOINT_MISMATCH` where `config.json`
 *   speaks of more blocks than there are; `DATA_CORRUPT` for a `config.json` that is no object.
 */
export function describePretrained(
  config: unknown,
  shapes: ReadonlyMap<string, readonly number[]>,
): PretrainedDescription | undefined {
  const layout = layoutOfTensors(shapes.keys());
  const isTimm = layout?.layout === 'timm' && (config === undefined || !hasModelType(config));
  if (isTimm) return { architecture: 'vit', options: timmOptions(config, shapes) };
  if (config === undefined) return undefined;
  const described = optionsOfConfigJson(config);
  const blocks = blockCount(shapes.keys(), /(?:^|\.)(?:h|encoder\.layer|blocks)\.(\d+)\./);
  const { depth } = described.options;
  if (layout === undefined || blocks === depth) return described;
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
