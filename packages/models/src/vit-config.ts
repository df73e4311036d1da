import type { GeluApproximation } from '@lmd/core';
import { configChecks } from './config-checks.js';

export interface VitConfig {
  /** Height and width of the images, in pixels; a multiple of `patchSize`. */
  readonly imageSize: number;
  readonly channels: number;
  /** Height and width of a patch, in pixels. */
  readonly patchSize: number;
  /** Width of the residual stream; a multiple of `heads`. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each MLP. Default 4 · width. */
  readonly mlpWidth?: number;
  readonly classes: number;
  /**
   * Input of the classification head. `classToken`: the normalized output at a learned token (Dosovitskiy et al. 2021).
   * `mean`: the mean of the normalized outputs of all patches (Beyer, Zhai, Kolesnikov 2022). Default `classToken`.
   */
  readonly pooling?: 'classToken' | 'mean';
  /** `none` (default) is GELU with the error function; `tanh` is the approximation. */
  readonly gelu?: GeluApproximation;
  /** Default 1e-6, as in the published models. */
  readonly layerNormEpsilon?: number;
  /**
   * Whether the first and the last product, patch embedding and head, are quantized like all others (default) or
   * computed in f32, as is common in the quantization literature.
   */
  readonly quantizeEmbeddingAndHead?: boolean;
  /**
   * Dropout rate in training of the embeddings and of the outputs of attention and MLP. Default 0.
   */
  readonly dropout?: number;
  /**
   * Dropout rate of attention probabilities in training. Above 0, the probabilities are stored. Default 0.
   */
  readonly attentionDropout?: number;
  /**
   * Stochastic depth in training: probability that the last block skips attention, or the MLP, for an example; it
   * increases linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021). Default 0.
   */
  readonly stochasticDepth?: number;
  /**
   * `blocks` or true: gradient checkpointing, which stores only the input of each block and recomputes the block in the
   * backward pass. Bit-identical, with less memory and about a third more computation. Default false.
   */
  readonly recomputation?: boolean | 'blocks';
}

const defaults = {
  pooling: 'classToken',
  gelu: 'none',
  layerNormEpsilon: 1e-6,
  quantizeEmbeddingAndHead: true,
  dropout: 0,
  attentionDropout: 0,
  stochasticDepth: 0,
  recomputation: false,
} as const;

const countNames = ['imageSize', 'channels', 'patchSize', 'width', 'depth', 'heads', 'mlpWidth', 'classes'] as const;

const choices = {
  pooling: ['classToken', 'mean'],
  gelu: ['none', 'tanh'],
  quantizeEmbeddingAndHead: [true, false],
  recomputation: [false, true, 'blocks'],
} as const;

/** Fills in defaults and validates the configuration. */
export function resolveVitConfig(config: VitConfig): Required<VitConfig> {
  const check = configChecks('A ViT');
  check.names(config, [...countNames, ...Object.keys(defaults)]);
  // The width from a file may be any value.
  const mlpWidth = typeof config.width === 'number' ? 4 * config.width : 0;
  const resolved = { ...defaults, mlpWidth, ...config };
  check.counts(resolved, countNames);
  check.depth(resolved.depth);
  check.choices(resolved, choices);
  check.rates(resolved, ['dropout', 'attentionDropout', 'stochasticDepth']);
  check.positive('layerNormEpsilon', resolved.layerNormEpsilon);
  check.divides('patchSize', resolved.patchSize, 'imageSize', resolved.imageSize);
  check.divides('heads', resolved.heads, 'width', resolved.width);
  return resolved;
}
