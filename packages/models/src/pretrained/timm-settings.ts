import { type ForeignSetting, foreignSettings } from '@lmd/core';
import type { VitConfig } from '../vit-config.js';
import { square } from './config-json.js';

const file = 'config.json';
const ignored = (names: string): { readonly [name: string]: ForeignSetting } =>
  Object.fromEntries(names.split(' ').map((name): [string, ForeignSetting] => [name, 'ignored']));

const off = [null, false] as const;

/**
 * What timm writes to `config.json`. `pretrained_cfg` says how pictures are prepared and where the weights are from.
 */
const known: { readonly [name: string]: ForeignSetting } = {
  ...ignored('pretrained_cfg label_names label_descriptions license library_name timm_version'),
  architecture: 'used',
  num_classes: 'used',
  num_features: 'used',
  global_pool: 'used',
  model_args: 'used',
};

/** Arguments of timm's `VisionTransformer`. Without an argument, the model is the one that its architecture names. */
const knownArguments: { readonly [name: string]: ForeignSetting } = {
  ...ignored('img_size in_chans patch_size embed_dim depth mlp_ratio class_token num_classes'),
  // Pictures have the size of the model, so that nothing is interpolated.
  ...ignored('dynamic_img_size dynamic_img_pad strict_img_size'),
  ...ignored('drop_rate pos_drop_rate patch_drop_rate proj_drop_rate attn_drop_rate drop_path_rate'),
  ...ignored('weight_init fix_init device dtype'),
  num_heads: 'used',
  global_pool: 'used',
  act_layer: 'used',
  qkv_bias: [true, null],
  proj_bias: [true, null],
  qk_norm: off,
  scale_attn_norm: off,
  scale_mlp_norm: off,
  init_values: [null],
  pos_embed: ['learn', null],
  no_embed_class: off,
  reg_tokens: [0, null],
  pre_norm: off,
  final_norm: [true, null],
  fc_norm: off,
  pool_include_prefix: off,
  embed_layer: [null],
  embed_norm_layer: [null],
  norm_layer: [null],
  block_fn: [null],
  mlp_layer: [null],
  attn_layer: [null],
};

/** Heads by the size in the architecture's name, and the width at which it has them. */
const sizes: { readonly [name: string]: readonly [width: number, heads: number] } = {
  tiny: [192, 3],
  small: [384, 6],
  base: [768, 12],
  large: [1024, 16],
  huge: [1280, 16],
  giant: [1408, 16],
  gigantic: [1664, 16],
};

/** ε of the layer norms of every plain ViT of timm; no argument changes it. */
export const timmLayerNormEpsilon = 1e-6;

const activations = { gelu: 'none', gelu_tanh: 'tanh' } as const;
const poolings = { token: 'classToken', avg: 'mean' } as const;

/**
 * What a `config.json` of timm says of a ViT beside the shapes of its tensors.
 *
 * @throws LmdError `UNSUPPORTED` for another architecture or variant (register tokens, CLIP, SigLIP, DINOv2, …), naming
 *   the setting.
 */
export function timmSettings(json: unknown, width: number): Partial<VitConfig> {
  const settings = foreignSettings(json, { file, known });
  const given = settings.value('model_args');
  const args = foreignSettings(given ?? {}, { file: `${file} (model_args)`, known: knownArguments });
  const architecture = settings.value('architecture');
  const plain =
    typeof architecture === 'string' ? /^(?:vit|deit)_([a-z]+)_patch\d+_\d+(?:\.|$)/.exec(architecture) : null;
  const size = plain?.[1];
  if (size === undefined || !Object.hasOwn(sizes, size)) {
    return settings.refuse('architecture', 'Import a plain ViT, such as "vit_base_patch16_224".');
  }
  if (settings.has('num_features') && settings.count('num_features') !== width) {
    settings.refuse('num_features', `The tensors have ${width} features.`);
  }
  const pool = args.has('global_pool') ? args : settings;
  const [usualWidth, heads] = sizes[size]!;
  return {
    pooling: pool.choice('global_pool', poolings, 'token'),
    gelu: args.choice('act_layer', activations, 'gelu'),
    layerNormEpsilon: timmLayerNormEpsilon,
    ...(args.has('num_heads') ? { heads: args.count('num_heads') } : usualWidth === width ? { heads } : {}),
    ...(args.has('img_size') ? { imageSize: square(args, 'img_size') } : {}),
  };
}
