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
  /** Number of channels of the images. A whole number, at least 1; required. */
  channels: option.integer({ atLeast: 1, required: true, describe: 'Number of channels of the images.' }),
  /** Height and width of a patch, in pixels. A whole number, at least 1; required. */
  patchSize: option.integer({ atLeast: 1, required: true, describe: 'Height and width of a patch, in pixels.' }),
  /** Number of classes. A whole number, at least 1; required. */
  classes: option.integer({ atLeast: 1, required: true, describe: 'Number of classes.' }),
  ...transformerOptionTable,
  /**
   * Input of the classification head. `classToken`: the normalized output at a learned token (Dosovitskiy et al. 2021).
   * `mean`: the mean of the normalized outputs at all patches (Beyer, Zhai, Kolesnikov 2022). `classToken` or `mean`;
   * default `classToken`.
   */
  pooling: option.choice(['classToken', 'mean'], {
    default: 'classToken',
    describe:
      'Input of the classification head. `classToken`: the normalized output at a learned token (Dosovitskiy et ' +
      'al. 2021). `mean`: the mean of the normalized outputs at all patches (Beyer, Zhai, Kolesnikov 2022).',
  }),
  /**
   * Approximation of GELU: `none` uses the error function, `tanh` the tanh approximation. `none` or `tanh`; default
   * `none`.
   */
  gelu: option.choice(['none', 'tanh'], {
    default: 'none',
    describe: 'Approximation of GELU: `none` uses the error function, `tanh` the tanh approximation.',
  }),
  /**
   * ε of layer norms, added to the variance; the default is that of the published models. Above 0; default 0.000001.
   */
  layerNormEpsilon: option.number({
    above: 0,
    default: 1e-6,
    describe: 'ε of layer norms, added to the variance; the default is that of the published models.',
  }),
  /**
   * Whether patch embedding and head, the first and the last matrix product, are quantized like all others; if false
   * they stay in f32, as in much of the quantization literature. True or false; default true.
   */
  quantizeEmbeddingAndHead: option.boolean({
    default: true,
    describe:
      'Whether patch embedding and head, the first and the last matrix product, are quantized like all others; ' +
      'if false they stay in f32, as in much of the quantization literature.',
  }),
  /**
   * Stochastic depth, in training only: probability that the last block skips its attention, or its MLP, for an
   * example; it increases linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021). At least 0 and
   * below 1; default 0.
   */
  stochasticDepth: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'Stochastic depth, in training only: probability that the last block skips its attention, or its MLP, for ' +
      'an example; it increases linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021).',
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
