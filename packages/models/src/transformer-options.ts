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
  /** Width of the hidden layer of each MLP; by default 4 · `width`. A whole number, at least 1. */
  mlpWidth: option.integer({
    atLeast: 1,
    describe: 'Width of the hidden layer of each MLP; by default 4 · `width`.',
  }),
  /**
   * In training, the probability with which an element of the embeddings, or of what attention or MLP adds to the
   * residual stream, is dropped. At least 0 and below 1; default 0.
   */
  dropout: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'In training, the probability with which an element of the embeddings, or of what attention or MLP adds to the residual stream, is dropped.',
  }),
  /**
   * In training, the probability with which an attention probability is dropped. Above 0, attention probabilities are
   * stored. At least 0 and below 1; default 0.
   */
  attentionDropout: option.number({
    atLeast: 0,
    below: 1,
    default: 0,
    describe:
      'In training, the probability with which an attention probability is dropped. Above 0, attention probabilities are stored.',
  }),
  /**
   * `blocks`, or true: of each block only the input is kept for the backward pass, which runs the block again. The same
   * bits for less memory and about a third more work. True or false or `blocks`; default false.
   */
  recomputation: option.either([{ kind: 'boolean' }, { kind: 'choice', choices: ['blocks'] }], {
    default: false,
    describe:
      '`blocks`, or true: of each block only the input is kept for the backward pass, which runs the block again. The same bits for less memory and about a third more work.',
  }),
} as const satisfies OptionTable;
