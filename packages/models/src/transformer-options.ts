import { type OptionTable, option } from '@lmd/core';

/** The configuration that every transformer has, declared once. */
export const transformerOptionTable = {
  /** Width of the residual stream; a multiple of `heads`. A whole number, at least 1; required. */
  width: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Width of the residual stream; a multiple of `heads`.',
  }),
  // Many times what anyone has trained: beyond it, a slip or a damaged file would make a list of weights without end.
  /** Number of transformer blocks. A whole number, at least 1 and at most 10000; required. */
  depth: option.integer({ atLeast: 1, atMost: 10_000, required: true, describe: 'Number of transformer blocks.' }),
  /** Number of attention heads; divides `width`. A whole number, at least 1; required. */
  heads: option.integer({ atLeast: 1, required: true, describe: 'Number of attention heads; divides `width`.' }),
  /** Width of the hidden layer of each MLP. Default: 4 · `width`. A whole number, at least 1. */
  mlpWidth: option.integer({
    atLeast: 1,
    describe: 'Width of the hidden layer of each MLP. Default: 4 · `width`.',
  }),
  /**
   * Dropout probability, in training only, of the embeddings and of the outputs of attention and MLP before they are
   * added to the residual stream. At least 0 and below 1; default 0.
   */
  dropout: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'Dropout probability, in training only, of the embeddings and of the outputs of attention and MLP before ' +
      'they are added to the residual stream.',
  }),
  /**
   * Dropout probability of the attention probabilities, in training only. Above 0, attention probabilities are stored.
   * At least 0 and below 1; default 0.
   */
  attentionDropout: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'Dropout probability of the attention probabilities, in training only. Above 0, attention probabilities ' +
      'are stored.',
  }),
  /**
   * Activation checkpointing. `blocks` or true: only the input of each block is stored for the backward pass, which
   * recomputes the block. Results are bit-identical; it uses less memory and takes about a third more computation. True
   * or false or `blocks`; default false.
   */
  recomputation: option.either([{ kind: 'boolean' }, { kind: 'choice', choices: ['blocks'] }], {
    default: false,
    describe:
      'Activation checkpointing. `blocks` or true: only the input of each block is stored for the backward pass, ' +
      'which recomputes the block. Results are bit-identical; it uses less memory and takes about a third more ' +
      'computation.',
  }),
} as const satisfies OptionTable;
