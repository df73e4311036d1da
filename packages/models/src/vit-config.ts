import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { checkDivides, mlpWidthOf } from './config-checks.js';
import { transformerOptionTable } from './transformer-options.js';

/** The configuration of `vit`, declared once. */
export const vitOptionTable = {
  /** Height and width of the images, in pixels; a multiple of `patchSize`. A whole number, at least 1; required. */
  imageSize: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Height and width of the images, in pixels; a multiple of `patchSize`.',
  }),
  /** Channels of the images. A whole number, at least 1; required. */
  channels: option.integer({ atLeast: 1, required: true, describe: 'Channels of the images.' }),
  /** Height and width of a patch, in pixels. A whole number, at least 1; required. */
  patchSize: option.integer({ atLeast: 1, required: true, describe: 'Height and width of a patch, in pixels.' }),
  /** Number of classes. A whole number, at least 1; required. */
  classes: option.integer({ atLeast: 1, required: true, describe: 'Number of classes.' }),
  ...transformerOptionTable,
  /**
   * What the head reads. `classToken`: the normalised output at a learned token (Dosovitskiy et al. 2021). `mean`: the
   * mean of the normalised outputs at all patches (Beyer, Zhai, Kolesnikov 2022). `classToken` or `mean`; default
   * `classToken`.
   */
  pooling: option.choice(['classToken', 'mean'], {
    default: 'classToken',
    describe:
      'What the head reads. `classToken`: the normalised output at a learned token (Dosovitskiy et al. 2021). `mean`: the mean of the normalised outputs at all patches (Beyer, Zhai, Kolesnikov 2022).',
  }),
  /** `none` is GELU by the error function; `tanh` the approximation. `none` or `tanh`; default `none`. */
  gelu: option.choice(['none', 'tanh'], {
    default: 'none',
    describe: '`none` is GELU by the error function; `tanh` the approximation.',
  }),
  /** Added to the variance in layer norms; the default is that of the published models. Above 0; default 0.000001. */
  layerNormEpsilon: option.number({
    above: 0,
    default: 1e-6,
    describe: 'Added to the variance in layer norms; the default is that of the published models.',
  }),
  /**
   * Whether the first and the last product, patch embedding and head, are rounded like all others or stay in f32, as
   * much of the quantization literature has it. True or false; default true.
   */
  quantizeEmbeddingAndHead: option.boolean({
    default: true,
    describe:
      'Whether the first and the last product, patch embedding and head, are rounded like all others or stay in f32, as much of the quantization literature has it.',
  }),
  /**
   * In training, the probability with which the last block skips its attention, and its MLP, for an example; it grows
   * linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021). At least 0 and below 1; default 0.
   */
  stochasticDepth: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'In training, the probability with which the last block skips its attention, and its MLP, for an example; it grows linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021).',
  }),
} as const satisfies OptionTable;

export interface VitConfig extends OptionsOf<typeof vitOptionTable> {}

/** The same with every default filled in. */
export interface ResolvedVitConfig extends ResolvedOptions<typeof vitOptionTable> {
  readonly mlpWidth: number;
}

/** Fills in defaults and validates the configuration. */
export function resolveVitConfig(config: VitConfig): ResolvedVitConfig {
  const options = resolveOptions('vit', vitOptionTable, config);
  checkDivides('vit', 'patchSize', options.patchSize, 'imageSize', options.imageSize);
  checkDivides('vit', 'heads', options.heads, 'width', options.width);
  return { ...options, mlpWidth: mlpWidthOf('vit', options) };
}
