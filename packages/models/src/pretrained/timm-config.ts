import { type ForeignSetting, foreignSettings, type ImagePreprocessing, LmdError } from '@lmd/core';
import type { ResolvedVitConfig } from '../vit-config.js';
import type { ConfigJson } from './config-json.js';
import { perChannel } from './image-processor.js';
import { timmLayerNormEpsilon } from './timm-settings.js';

const file = 'config.json (pretrained_cfg)';

/** timm's models by their width; `model_args` states every size anyway. */
const architectures: { readonly [width: number]: string } = {
  192: 'vit_tiny_patch16_224',
  384: 'vit_small_patch16_224',
  768: 'vit_base_patch16_224',
  1024: 'vit_large_patch16_224',
  1280: 'vit_huge_patch14_224',
};

/**
 * The `config.json` by which `timm.create_model('local-dir:FOLDER', pretrained=True)` builds and loads a ViT, and
 * `timm.data.resolve_model_data_config` prepares images likewise (`crop` is timm's `center`, `stretch` its `squash`).
 * timm does not turn images by their EXIF orientation.
 *
 * @throws LmdError `UNSUPPORTED` for another ε of layer norms than timm's: its arguments cannot state one.
 */
export function timmConfigOf(
  config: ResolvedVitConfig,
  { classNames, preprocessing }: { classNames?: readonly string[]; preprocessing?: ImagePreprocessing },
): ConfigJson {
  if (config.layerNormEpsilon !== timmLayerNormEpsilon) {
    throw new LmdError(
      'UNSUPPORTED',
      `layerNormEpsilon is ${config.layerNormEpsilon}, but models of timm have ${timmLayerNormEpsilon}.`,
      {
        subject: 'layerNormEpsilon',
        value: config.layerNormEpsilon,
        remedy: 'Export in the layout "transformers", or fine-tune a model that has timm\'s.',
      },
    );
  }
  const { imageSize, channels, width, classes, pooling } = config;
  const pool = pooling === 'classToken' ? 'token' : 'avg';
  return {
    architecture: architectures[width] ?? architectures[192],
    num_classes: classes,
    num_features: width,
    global_pool: pool,
    ...(classNames === undefined ? {} : { label_names: classNames }),
    model_args: {
      img_size: imageSize,
      patch_size: config.patchSize,
      in_chans: channels,
      embed_dim: width,
      depth: config.depth,
      num_heads: config.heads,
      mlp_ratio: mlpRatio(config),
      class_token: pooling === 'classToken',
      global_pool: pool,
      // With `avg` timm would by default normalize after the mean.
      fc_norm: false,
      act_layer: config.gelu === 'tanh' ? 'gelu_tanh' : 'gelu',
    },
    pretrained_cfg: {
      num_classes: classes,
      input_size: [channels, imageSize, imageSize],
      fixed_input_size: true,
      pool_size: null,
      first_conv: 'patch_embed.proj',
      classifier: 'head',
      ...(preprocessing === undefined
        ? {}
        : {
            interpolation: preprocessing.interpolation,
            crop_pct: preprocessing.fit === 'stretch' ? 1 : preprocessing.cropFraction,
            crop_mode: preprocessing.fit === 'stretch' ? 'squash' : 'center',
            mean: preprocessing.mean,
            std: preprocessing.standardDeviation,
          }),
    },
  };
}

/** timm truncates width · ratio, which the quotient itself may miss by an ulp. */
function mlpRatio({ width, mlpWidth }: ResolvedVitConfig): number {
  const ratio = mlpWidth / width;
  return Math.trunc(width * ratio) === mlpWidth ? ratio : (mlpWidth + 0.5) / width;
}

const ignored = (names: string): { readonly [name: string]: ForeignSetting } =>
  Object.fromEntries(names.split(' ').map((name): [string, ForeignSetting] => [name, 'ignored']));

const known: { readonly [name: string]: ForeignSetting } = {
  ...ignored('url file state_dict hf_hub_id hf_hub_filename source tag custom_load architecture notes license'),
  ...ignored('description origin_url paper_name paper_ids num_classes label_names label_descriptions label_offset'),
  ...ignored('first_conv classifier pool_size fixed_input_size min_input_size test_input_size test_crop_pct'),
  input_size: 'used',
  interpolation: 'used',
  crop_pct: 'used',
  crop_mode: 'used',
  mean: 'used',
  std: 'used',
};

/**
 * How timm prepares images for a model with this `config.json`; undefined if the file does not say it.
 *
 * @throws LmdError `UNSUPPORTED` naming a setting that `ImagePreprocessing` cannot express.
 */
export function preprocessingOfTimm(json: unknown): ImagePreprocessing | undefined {
  const given = (json as { readonly pretrained_cfg?: unknown } | null | undefined)?.pretrained_cfg;
  if (given === undefined || given === null) return undefined;
  const settings = foreignSettings(given, { file, known, remedy: 'Prepare such images with timm.' });
  if (!settings.has('mean') || !settings.has('std') || !settings.has('input_size')) return undefined;
  const size = settings.value('input_size');
  const isSize =
    Array.isArray(size) && size.length === 3 && size.every((side) => Number.isSafeInteger(side) && side > 0);
  const [channels, height, width] = isSize ? (size as number[]) : settings.refuse('input_size');
  const mode = settings.choice('crop_mode', { center: 'crop', squash: 'stretch' } as const, 'center');
  const fraction = settings.positive('crop_pct', 0.875);
  if (fraction > 1 || (mode === 'stretch' && fraction !== 1)) settings.refuse('crop_pct');
  return {
    height: height!,
    width: width!,
    channels: channels!,
    fit: mode,
    cropFraction: fraction,
    interpolation: settings.choice('interpolation', { bilinear: 'bilinear', bicubic: 'bicubic' } as const, 'bicubic'),
    mean: perChannel(settings, 'mean', channels!),
    standardDeviation: perChannel(settings, 'std', channels!),
    orientation: 'stored',
  };
}
