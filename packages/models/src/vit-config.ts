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
   * What the head sees. `classToken`: the normalised output at a learned token (Dosovitskiy et al. 2021). `mean`: the
   * mean of the normalised outputs at all patches (Beyer, Zhai, Kolesnikov 2022). Default `classToken`.
   */
  readonly pooling?: 'classToken' | 'mean';
  /** `none` (default) is GELU by the error function; `tanh` the approximation. */
  readonly gelu?: GeluApproximation;
  /** Default 1e-6, as in the published models. */
  readonly layerNormEpsilon?: number;
  /**
   * Whether the first and the last product, patch embedding and head, are rounded like all others (default) or stay in
   * f32, as much of the quantization literature has it.
   */
  readonly quantizeEmbeddingAndHead?: boolean;
  /**
   * In training, the probability with which an element of the embeddings, or of what attention or MLP adds to the
   * residual stream, is dropped. Default 0.
   */
  readonly dropout?: number;
  /**
   * In training, the probability with which an attention probability is dropped. Above 0 they are stored. Default 0.
   */
  readonly attentionDropout?: number;
  /**
   * In training, the probability with which the last block skips its attention, and its MLP, for an example; it grows
   * linearly from 0 at the first block (Huang et al. 2016; Touvron et al. 2021). Default 0.
   */
  readonly stochasticDepth?: number;
  /**
   * `blocks`, or true: of each block only the input is kept for the backward pass, which runs the block again. The same
   * bits for less memory and about a third more work. Default false.
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

/** Fills in defaults and refuses what cannot be built. */
export function resolveVitConfig(config: VitConfig): Required<VitConfig> {
  const check = configChecks('A ViT');
  check.names(config, [...countNames, ...Object.keys(defaults)]);
  // Of a file, the width may be anything.
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
