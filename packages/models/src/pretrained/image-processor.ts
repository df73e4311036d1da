import { type ForeignSetting, type ForeignSettings, foreignSettings, type ImagePreprocessing } from '@lmd/core';
import type { ConfigJson } from './config-json.js';

const file = 'preprocessor_config.json';
const ignored = (names: string): { readonly [name: string]: ForeignSetting } =>
  Object.fromEntries(names.split(' ').map((name): [string, ForeignSetting] => [name, 'ignored']));

/** Settings of the image processors of transformers 5.23, and of those that older versions wrote. */
const known: { readonly [name: string]: ForeignSetting } = {
  ...ignored('processor_class auto_map device disable_grouping return_tensors data_format input_data_format'),
  // An image with another number of channels is converted.
  ...ignored('do_convert_rgb default_to_square image_seq_length pad_size _valid_processor_keys'),
  image_processor_type: 'used',
  feature_extractor_type: 'used',
  do_resize: [true],
  do_rescale: [true],
  do_pad: [false, null],
  do_reduce_labels: [false, null],
  do_flip_channel_order: [false, null],
  rescale_factor: 'used',
  size: 'used',
  resample: 'used',
  do_center_crop: 'used',
  crop_size: 'used',
  crop_pct: 'used',
  do_normalize: 'used',
  image_mean: 'used',
  image_std: 'used',
};

/** Pillow's numbers of the filters. */
const filters = { bilinear: 2, bicubic: 3 } as const;

/** What each processor does where the file does not say otherwise. */
const processors: {
  readonly [name: string]: { readonly filter: 'bilinear' | 'bicubic'; readonly crop: boolean; readonly edge: boolean };
} = {
  ViT: { filter: 'bilinear', crop: false, edge: false },
  CLIP: { filter: 'bicubic', crop: true, edge: true },
  ConvNext: { filter: 'bilinear', crop: false, edge: true },
};

/**
 * The `preprocessor_config.json` by which transformers and transformers.js prepare an image likewise.
 *
 * `stretch` is that of `ViTImageProcessor`; `crop`, which this processor does not do, that of `CLIPImageProcessor`:
 * the whole image is resized until its shorter side is `height / cropFraction` rounded, then cropped. Pixels at the
 * border of the crop, whose filter then reaches beyond it, differ in the last bits of a byte. `crop_pct` keeps the
 * exact fraction. Neither processor turns an image by its EXIF orientation; `load_image` of transformers does.
 */
export function processorJsonOf(preprocessing: ImagePreprocessing): ConfigJson {
  const { height, width, channels, fit, cropFraction, interpolation, mean, standardDeviation } = preprocessing;
  const size =
    fit === 'stretch'
      ? { size: { height, width } }
      : {
          size: { shortest_edge: Math.round(height / cropFraction) },
          do_center_crop: true,
          crop_size: { height, width },
          crop_pct: cropFraction,
        };
  return {
    image_processor_type: fit === 'stretch' ? 'ViTImageProcessor' : 'CLIPImageProcessor',
    do_convert_rgb: channels === 3,
    do_resize: true,
    ...size,
    resample: filters[interpolation],
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: standardDeviation,
  };
}

/**
 * What a `preprocessor_config.json` says, for the processors of ViT, CLIP and ConvNeXt.
 *
 * @throws LmdError `UNSUPPORTED` naming a setting that `ImagePreprocessing` cannot express; `DATA_CORRUPT` for a file
 *   that is no object.
 */
export function preprocessingOfProcessor(json: unknown, channels: number): ImagePreprocessing {
  const settings = foreignSettings(json, { file, known, remedy: 'Prepare such images with transformers.' });
  const typed = settings.has('image_processor_type') ? 'image_processor_type' : 'feature_extractor_type';
  const type = settings.has(typed) ? String(settings.value(typed)) : 'ViTImageProcessor';
  const name = type.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '');
  const usual = Object.hasOwn(processors, name) ? processors[name]! : settings.refuse(typed);
  const factor = settings.positive('rescale_factor', 1 / 255);
  if (Math.abs(factor * 255 - 1) > 1e-6) settings.refuse('rescale_factor', 'It must be 1/255.');
  const normalizes = settings.flag('do_normalize', true);
  return {
    channels,
    ...fitOf(settings, name, usual),
    interpolation: settings.has('resample') ? filterOf(settings) : usual.filter,
    mean: normalizes ? perChannel(settings, 'image_mean', channels) : new Array(channels).fill(0),
    standardDeviation: normalizes ? perChannel(settings, 'image_std', channels) : new Array(channels).fill(1),
    orientation: 'exif',
  };
}

type Fit = Pick<ImagePreprocessing, 'height' | 'width' | 'fit' | 'cropFraction'>;

function fitOf(settings: ForeignSettings, name: string, { crop, edge }: (typeof processors)[string]): Fit {
  const given = settings.value('size');
  const sides = extent(given);
  const shortest = edge && typeof given === 'number' ? given : shortestEdge(given);
  const cropped = settings.flag('do_center_crop', crop);
  if (name === 'ConvNext' && shortest !== undefined) {
    // Its processor stretches from 384 pixels on.
    if (shortest >= 384) return { height: shortest, width: shortest, fit: 'stretch', cropFraction: 1 };
    const cropFraction = settings.positive('crop_pct', 224 / 256);
    return { height: shortest, width: shortest, fit: 'crop', cropFraction };
  }
  const window = cropped ? extent(settings.value('crop_size')) : undefined;
  if (cropped && window === undefined) settings.refuse('crop_size');
  if (shortest === undefined) {
    if (sides === undefined) return settings.refuse('size');
    const [height, width] = sides;
    if (window !== undefined && (window[0] !== height || window[1] !== width)) settings.refuse('crop_size');
    return { height, width, fit: 'stretch', cropFraction: 1 };
  }
  const [height, width] = window ?? settings.refuse('size', 'Without a crop it must have a height and a width.');
  if (height !== width || height > shortest) settings.refuse('crop_size', 'It must be a square within the image.');
  const stated = settings.has('crop_pct') ? settings.positive('crop_pct') : height / shortest;
  const cropFraction = Math.round(height / stated) === shortest ? stated : height / shortest;
  return { height, width, fit: 'crop', cropFraction };
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function extent(value: unknown): readonly [number, number] | undefined {
  if (isSize(value)) return [value, value];
  const { height, width } = (value ?? {}) as { readonly height?: unknown; readonly width?: unknown };
  return isSize(height) && isSize(width) ? [height, width] : undefined;
}

function shortestEdge(value: unknown): number | undefined {
  const { shortest_edge: edge } = (value ?? {}) as { readonly shortest_edge?: unknown };
  return isSize(edge) ? edge : undefined;
}

function filterOf(settings: ForeignSettings): 'bilinear' | 'bicubic' {
  const given = settings.value('resample');
  if (given === filters.bilinear) return 'bilinear';
  if (given === filters.bicubic) return 'bicubic';
  return settings.refuse('resample', 'It must be 2 (bilinear) or 3 (bicubic).');
}

/** A number for each channel; one number stands for all. */
export function perChannel(settings: ForeignSettings, name: string, channels: number): readonly number[] {
  const given = settings.value(name);
  const numbers = typeof given === 'number' ? new Array<unknown>(channels).fill(given) : given;
  const isComplete =
    Array.isArray(numbers) && numbers.length === channels && numbers.every((value) => Number.isFinite(value));
  return isComplete ? (numbers as number[]) : settings.refuse(name, `It must have ${channels} numbers.`);
}
