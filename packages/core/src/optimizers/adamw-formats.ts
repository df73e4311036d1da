import { roundToCompandedMoment, roundToCompandedSquare } from '../compositions/companded-moments.js';
import { roundToBfloat16Stochastically, roundToSplit24 } from '../compositions/round-to-bfloat16.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { freshHandle } from './state.js';

/** Formats of the weights of `adamw` between steps. */
export const adamwWeightFormats = ['f32', 'bf16', 'split24'] as const;
export type AdamwWeightFormat = (typeof adamwWeightFormats)[number];

/** Formats of its moments. */
export const adamwMomentFormats = ['f32', 'bf16', 'companded8'] as const;
export type AdamwMomentFormat = (typeof adamwMomentFormats)[number];

/** The weights as they are stored; BF16 by stochastic rounding with a key, to nearest without. A handle of its own. */
export function storedWeights(
  ops: EagerOperations,
  weights: Tensor,
  format: AdamwWeightFormat,
  key?: () => RandomKey,
): Tensor {
  switch (format) {
    case 'f32':
      return freshHandle(ops, weights);
    case 'bf16':
      return key === undefined ? ops.roundToBfloat16(weights) : roundToBfloat16Stochastically(ops, weights, key());
    case 'split24':
      return roundToSplit24(ops, weights);
  }
}

/** A moment as it is stored. Only BF16 rounds stochastically and needs the key. A handle of its own. */
export function storedMoment(
  ops: EagerOperations,
  vector: 'firstMoment' | 'secondMoment',
  moment: Tensor,
  format: AdamwMomentFormat,
  key: () => RandomKey,
): Tensor {
  switch (format) {
    case 'f32':
      return freshHandle(ops, moment);
    case 'bf16':
      return roundToBfloat16Stochastically(ops, moment, key());
    case 'companded8':
      return vector === 'firstMoment' ? roundToCompandedMoment(ops, moment) : roundToCompandedSquare(ops, moment);
  }
}
