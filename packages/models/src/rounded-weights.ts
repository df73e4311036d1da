import type { ForwardContext, NamedTensors, Operations, PackedMatrices, Precision, Tensor } from '@lmd/core';
import type { Gpt2 } from './gpt2.js';
import { headWeight, roundedHeadWeight } from './gpt2-head.js';
import { encodeOperand, type OperandName, roundOperand } from './operands.js';
import { isBlockFormat, isExact } from './product-operand.js';

/** Weights for repeated use, and the precision to use with them. */
export interface RoundedWeights extends Pick<ForwardContext, 'encodedWeights'> {
  readonly weights: NamedTensors;
  readonly precision: Precision;
  /** Tensors created here; the caller frees them. */
  readonly owned: readonly Tensor[];
}

/**
 * Quantizes the matrices of a GPT-2 once for inference, instead of in each pass; products are bit-identical. If
 * products are exact, the weights are kept and their codes are added. Otherwise they are quantized, with an additional
 * quantized copy of the token embedding, since the lookup uses the original. Nothing is created for f32 weights,
 * stochastic rounding, or `packed` weights.
 */
export function roundWeights(
  ops: Operations,
  model: Pick<Gpt2, 'config'>,
  weights: NamedTensors,
  precision: Precision,
  packed: PackedMatrices = {},
): RoundedWeights {
  const { weights: format, activations } = precision.forward;
  if (format === 'f32' || (typeof format === 'object' && format.rounding === 'stochastic')) {
    return { weights, precision, owned: [] };
  }
  const isPacked = (name: string): boolean => Object.hasOwn(packed, name);
  const matrices = Object.keys(weights).filter((name) => /^blocks\..*\.weight$/.test(name) && !isPacked(name));
  const roundsHead = model.config.quantizeHead && !isPacked(headWeight);
  const nameOf = (name: string): OperandName => ({ key: { seed: 0, step: 0, sample: 0 }, name });
  if (isBlockFormat(format) && isExact(ops, activations, format)) {
    return ops.scope(() => {
      const encoded = matrices.map((name) => encodeOperand(ops, weights[name]!, format, -2, nameOf(name)));
      if (roundsHead) encoded.push(encodeOperand(ops, weights[headWeight]!, format, -1, nameOf(headWeight)));
      return {
        weights,
        precision,
        encodedWeights: new Map(encoded.map((codes, i) => [weights[matrices[i] ?? headWeight]!, codes])),
        owned: encoded.flatMap(({ tensors }) => Object.values(tensors)),
      };
    });
  }
  return ops.scope(() => {
    const rounded: { [name: string]: Tensor } = {};
    for (const name of matrices) rounded[name] = roundOperand(ops, weights[name]!, format, -2, nameOf(name));
    if (roundsHead) {
      rounded[roundedHeadWeight] = roundOperand(ops, weights[headWeight]!, format, -1, nameOf(headWeight));
    }
    return {
      weights: { ...weights, ...rounded },
      precision: { ...precision, forward: { ...precision.forward, weights: 'f32' } },
      owned: Object.values(rounded),
    };
  });
}
