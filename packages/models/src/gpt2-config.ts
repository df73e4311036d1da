import type { GeluApproximation } from '@lmd/core';
import { configChecks } from './config-checks.js';

export interface Gpt2Config {
  /** Vocabulary size. */
  readonly vocabularySize: number;
  /** Maximum sequence length, in tokens. */
  readonly contextLength: number;
  /** Width of the residual stream; a multiple of `heads`. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each MLP. Default 4 · width. */
  readonly mlpWidth?: number;
  /**
   * Dropout rate in training of the embeddings and of the outputs of attention and MLP. Default 0; the published models
   * were trained with 0.1.
   */
  readonly dropout?: number;
  /**
   * Dropout rate of attention probabilities in training. Above 0, the probabilities are stored. Default 0.
   */
  readonly attentionDropout?: number;
  /** `tanh` (default) is the approximation of the published models; `none` is GELU with the error function. */
  readonly gelu?: GeluApproximation;
  /** Default 1e-5, as in the published models. */
  readonly layerNormEpsilon?: number;
  /**
   * Whether the last product, with the transposed token embedding, is quantized like all others (default) or computed
   * in f32. The embedding lookup is not a product and is never quantized.
   */
  readonly quantizeHead?: boolean;
  /**
   * `blocks` or true: gradient checkpointing, which stores only the input of each block and recomputes the block in the
   * backward pass. Bit-identical, with less memory and about a third more computation. Default false.
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

/** Fills in defaults and validates the configuration. */
export function resolveGpt2Config(config: Gpt2Config): Required<Gpt2Config> {
  const check = configChecks('A GPT-2');
  check.names(config, [...countNames, ...Object.keys(defaults)]);
  // The width from a file may be any value.
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
