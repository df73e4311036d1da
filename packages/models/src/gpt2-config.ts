import type { GeluApproximation } from '@lmd/core';
import { configChecks } from './config-checks.js';

export interface Gpt2Config {
  /** Number of different tokens. */
  readonly vocabularySize: number;
  /** The longest sequence, in tokens. */
  readonly contextLength: number;
  /** Width of the residual stream; a multiple of `heads`. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each MLP. Default 4 · width. */
  readonly mlpWidth?: number;
  /**
   * In training, the probability with which an element of the embeddings, or of what attention or MLP adds to the
   * residual stream, is dropped. Default 0; the published models were trained with 0.1.
   */
  readonly dropout?: number;
  /**
   * In training, the probability with which an attention probability is dropped. Above 0 they are stored. Default 0.
   */
  readonly attentionDropout?: number;
  /** `tanh` (default) is the approximation that the published models have; `none` is GELU by the error function. */
  readonly gelu?: GeluApproximation;
  /** Default 1e-5, as in the published models. */
  readonly layerNormEpsilon?: number;
  /**
   * Whether the last product, from the residual stream to the logits by the transposed token embedding, is rounded like
   * all others (default) or stays in f32. The lookup of the first layer is no product, and is never rounded.
   */
  readonly quantizeHead?: boolean;
  /**
   * `blocks`, or true: of each block only the input is kept for the backward pass, which runs the block again. The same
   * bits for less memory and about a third more work. Default false.
   */
  readonly recomputation?: boolean | 'blocks';
}

const defaults = {
  dropout: 0,
  attentionDropout: 0,
  gelu: 'tanh',
  layerNormEpsilon: 1e-5,
  quantizeHead: true,
  recomputation: false,
} as const;

const countNames = ['vocabularySize', 'contextLength', 'width', 'depth', 'heads', 'mlpWidth'] as const;

/** Fills in defaults and refuses what cannot be built. */
export function resolveGpt2Config(config: Gpt2Config): Required<Gpt2Config> {
  const check = configChecks('A GPT-2');
  check.names(config, [...countNames, ...Object.keys(defaults)]);
  // Of a file, the width may be anything.
  const mlpWidth = typeof config.width === 'number' ? 4 * config.width : 0;
  const resolved = { ...defaults, mlpWidth, ...config };
  check.counts(resolved, countNames);
  check.depth(resolved.depth);
  check.choices(resolved, {
    gelu: ['none', 'tanh'],
    quantizeHead: [true, false],
    recomputation: [false, true, 'blocks'],
  });
  check.rates(resolved, ['dropout', 'attentionDropout']);
  check.positive('layerNormEpsilon', resolved.layerNormEpsilon);
  check.divides('heads', resolved.heads, 'width', resolved.width);
  return resolved;
}
