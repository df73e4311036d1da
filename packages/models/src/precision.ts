import { LmdError, type OperandPrecision, type Precision, type Quantization } from '@lmd/core';
import { formatNamed, formats } from '@lmd/mx-formats';

/** No rounding anywhere: every product takes the plain path. */
export const fullPrecision: Precision = uniform('f32');

/**
 * A precision by name. `fp32`: none of the operands is rounded. `bf16`: all are rounded to BF16, forward and backward. A
 * block format of `@lmd/mx-formats`, such as `mxfp6_e3m2`: forward weights and activations in that format, backward in BF16.
 *
 * @param options.backward the operands of the backward products, by name likewise. In a block format, weights and activations are
 * rounded to nearest and gradients stochastically, which leaves them unbiased.
 * @throws LmdError `INVALID_ARGUMENT` for another name; the message lists the names there are.
 */
export function precisionPreset(name: string, options: { readonly backward?: string | undefined } = {}): Precision {
  const operand = operandNamed(name);
  const { backward = typeof operand === 'string' ? name : 'bf16' } = options;
  const back = operandNamed(backward);
  return {
    forward: { weights: operand, activations: operand },
    backward: {
      weights: back,
      activations: back,
      gradients: typeof back === 'string' ? back : { ...back, rounding: 'stochastic' },
    },
  };
}

function operandNamed(name: string): 'f32' | 'bf16' | Quantization {
  if (name === 'fp32') return 'f32';
  if (name === 'bf16') return 'bf16';
  if (!Object.hasOwn(formats, name)) {
    throw new LmdError('INVALID_ARGUMENT', `There is no precision named ${JSON.stringify(name)}.`, {
      subject: 'precision',
      value: name,
      remedy: `Use one of ${precisionNames.join(', ')}, or write a Precision record.`,
    });
  }
  return { format: formatNamed(name) };
}

/** The names that `precisionPreset` takes. */
export const precisionNames: readonly string[] = ['fp32', 'bf16', ...Object.keys(formats)];

function uniform(operand: OperandPrecision): Precision {
  return {
    forward: { weights: operand, activations: operand },
    backward: { weights: operand, activations: operand, gradients: operand },
  };
}
