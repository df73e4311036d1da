import type { NamedTensors, Operations, Precision, Tensor } from '@lmd/core';
import type { Gpt2 } from './gpt2.js';
import { headWeight, roundedHeadWeight } from './gpt2-head.js';
import { roundOperand } from './operands.js';

/** Weights to compute with many times, and the precision to do so in. */
export interface RoundedWeights {
  readonly weights: NamedTensors;
  readonly precision: Precision;
  /** Those that were made here, for the caller to free. */
  readonly made: readonly Tensor[];
}

/**
 * Rounds the matrices of a GPT-2 for inference once, instead of at each pass: the products that follow have the same
 * bits. The token embedding gets a rounded copy beside it, since it is looked up as it is. With f32 weights, or noise
 * in their rounding, nothing is made.
 */
export function roundWeights(
  ops: Operations,
  model: Pick<Gpt2, 'config'>,
  weights: NamedTensors,
  precision: Precision,
): RoundedWeights {
  const format = precision.forward.weights;
  if (format === 'f32' || (typeof format === 'object' && format.rounding === 'stochastic')) {
    return { weights, precision, made: [] };
  }
  const round = (x: Tensor, axis: number, name: string): Tensor =>
    roundOperand(ops, x, format, axis, { key: { seed: 0, step: 0, sample: 0 }, name });
  return ops.scope(() => {
    const rounded: { [name: string]: Tensor } = {};
    for (const [name, x] of Object.entries(weights)) {
      if (/^blocks\..*\.weight$/.test(name)) rounded[name] = round(x, -2, name);
    }
    if (model.config.quantizeHead) rounded[roundedHeadWeight] = round(weights[headWeight]!, -1, headWeight);
    return {
      weights: { ...weights, ...rounded },
      precision: { ...precision, forward: { ...precision.forward, weights: 'f32' } },
      made: Object.values(rounded),
    };
  });
}
