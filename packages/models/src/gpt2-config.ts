import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { checkDivides, mlpWidthOf } from './config-checks.js';
import { transformerOptionTable } from './transformer-options.js';

/** The configuration of `gpt2`, declared once. */
export const gpt2OptionTable = {
  /** Vocabulary size. A whole number, at least 1; required. */
  vocabularySize: option.integer({ atLeast: 1, required: true, describe: 'Vocabulary size.' }),
  /** Maximum sequence length, in tokens. A whole number, at least 1; required. */
  contextLength: option.integer({ atLeast: 1, required: true, describe: 'Maximum sequence length, in tokens.' }),
  ...transformerOptionTable,
  /**
   * Approximation of GELU: `tanh`, as in the published models, or `none`, which uses the error function. `none` or
   * `tanh`; default `tanh`.
   */
  gelu: option.choice(['none', 'tanh'], {
    default: 'tanh',
    describe: 'Approximation of GELU: `tanh`, as in the published models, or `none`, which uses the error function.',
  }),
  /** ε of layer norms, added to the variance; the default is that of the published models. Above 0; default 0.00001. */
  layerNormEpsilon: option.number({
    above: 0,
    default: 1e-5,
    describe: 'ε of layer norms, added to the variance; the default is that of the published models.',
  }),
  /**
   * Whether the head, the product of the residual stream and the transposed token embedding, is quantized like all
   * other products; if false it stays in f32. The embedding lookup is not a product and is never quantized. True or
   * false; default true.
   */
  quantizeHead: option.boolean({
    default: true,
    describe:
      'Whether the head, the product of the residual stream and the transposed token embedding, is quantized ' +
      'like all other products; if false it stays in f32. The embedding lookup is not a product and is never ' +
      'quantized.',
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
