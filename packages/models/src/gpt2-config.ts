import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { checkDivides, mlpWidthOf } from './config-checks.js';
import { transformerOptionTable } from './transformer-options.js';

/** The configuration of `gpt2`, declared once. */
export const gpt2OptionTable = {
  /** Number of different tokens. A whole number, at least 1; required. */
  vocabularySize: option.integer({ atLeast: 1, required: true, describe: 'Number of different tokens.' }),
  /** The longest sequence, in tokens. A whole number, at least 1; required. */
  contextLength: option.integer({ atLeast: 1, required: true, describe: 'The longest sequence, in tokens.' }),
  ...transformerOptionTable,
  /**
   * `tanh` is the approximation that the published models have; `none` is GELU by the error function. `none` or `tanh`;
   * default `tanh`.
   */
  gelu: option.choice(['none', 'tanh'], {
    default: 'tanh',
    describe: '`tanh` is the approximation that the published models have; `none` is GELU by the error function.',
  }),
  /** Added to the variance in layer norms; the default is that of the published models. Above 0; default 0.00001. */
  layerNormEpsilon: option.number({
    above: 0,
    default: 1e-5,
    describe: 'Added to the variance in layer norms; the default is that of the published models.',
  }),
  /**
   * Whether the last product, from the residual stream to the logits by the transposed token embedding, is rounded like
   * all others or stays in f32. The lookup of the first layer is no product, and is never rounded. True or false;
   * default true.
   */
  quantizeHead: option.boolean({
    default: true,
    describe:
      'Whether the last product, from the residual stream to the logits by the transposed token embedding, is rounded like all others or stays in f32. The lookup of the first layer is no product, and is never rounded.',
  }),
} as const satisfies OptionTable;

export interface Gpt2Config extends OptionsOf<typeof gpt2OptionTable> {}

/** The same with every default filled in. */
export interface ResolvedGpt2Config extends ResolvedOptions<typeof gpt2OptionTable> {
  readonly mlpWidth: number;
}

/** Fills in defaults and validates the configuration. */
export function resolveGpt2Config(config: Gpt2Config): ResolvedGpt2Config {
  const options = resolveOptions('gpt2', gpt2OptionTable, config);
  checkDivides('gpt2', 'heads', options.heads, 'width', options.width);
  return { ...options, mlpWidth: mlpWidthOf('gpt2', options) };
}
