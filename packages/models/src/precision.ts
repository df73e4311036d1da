import { LmdError, type OperandPrecision, type Precision, type Quantization } from '@lmd/core';
import { formatNamed, formats } from '@lmd/mx-formats';

/** No quantization: every product is an f32 product. */
export const fullPrecision: Precision = uniform('f32');

/**
 * A precision by name. `fp32`: operands are not quantized. `bf16`: all operands are rounded to BF16, forward and
 * backward. A block format of `@lmd/mx-formats`, such as `mxfp6_e3m2`: forward weights and activations in that format,
 * backward in BF16.
 *
 * @param options.backward the format of the operands of backward products, by name. In a block format, weights and
 * activations are rounded to nearest, and gradients stochastically, so that they are unbiased.
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
    throw new LmdError('INVALID_ARGUMENT', `Unknown precision ${JSON.stringify(name)}.`, {
      subject: 'precision',
      value: name,
      remedy: `Use one of ${precisionNames.join(', ')}, or write a Precision record.`,
    });
  }
  return { format: formatNamed(name) };
}

/** The names accepted by `precisionPreset`. */
export const precisionNames: readonly string[] = ['fp32', 'bf16', ...Object.keys(formats)];

function uniform(operand: OperandPrecision): Precision {
  return {
    forward: { weights: operand, activations: operand },
    backward: { weights: operand, activations: operand, gradients: operand },
  };
}
