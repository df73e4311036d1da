import {
  type BlockFormat,
  type NamedTensors,
  type OptionTable,
  option,
  type ResolvedOptions,
  roundingOptionTable,
  sizeOf,
} from '@lmd/core';
import type { TrainingRun } from '../plugin.js';
import { mapTensors, measureOptionTable, ratio } from './measure.js';

/** The options of plugins that compare quantized weights of several steps, declared once. */
export const quantizedWeightsOptionTable = {
  ...measureOptionTable,
  /**
   * Format to which the weights are quantized for the comparison; usually that of the forward pass. An object;
   * required.
   */
  format: option.object<BlockFormat>({
    required: true,
    describe: 'Format to which the weights are quantized for the comparison; usually that of the forward pass.',
  }),
  /**
   * Axis along which blocks run, counted from the end: −2 is the contraction axis of W in x·W. A whole number, at most
   * -1; default -2.
   */
  axis: option.integer({
    atMost: -1,
    default: -2,
    describe: 'Axis along which blocks run, counted from the end: −2 is the contraction axis of W in x·W.',
  }),
  /**
   * How the power-of-two scale of a block is computed from its largest magnitude; the default follows OCP MX v1.0.
   * `floor`, `ceil`, `rceil` or `even`; default `floor`.
   */
  scaleMode: roundingOptionTable.scaleMode,
} as const satisfies OptionTable;

export type QuantizedWeightsOptions = ResolvedOptions<typeof quantizedWeightsOptionTable>;

/** The mean weights of rank 2 and more, rounded to the format (to nearest). */
export function quantizedWeights(
  { ops, optimizer, state }: TrainingRun,
  { format, axis, scaleMode }: QuantizedWeightsOptions,
): NamedTensors {
  return ops.scope(() => {
    const weights = optimizer.weights(ops, state, 'mean');
    const matrices = Object.entries(weights).filter(([, { shape }]) => shape.length >= Math.max(2, -axis));
    return mapTensors(Object.fromEntries(matrices), (weight) => ops.fakeQuantize(weight, { format, axis, scaleMode }));
  });
}

/** The share of the elements that `counts` has, for all weights and for each. */
export function sharesOf(weights: NamedTensors, counts: ReadonlyMap<string, number>) {
  const sizes = Object.entries(weights).map(([name, { shape }]) => [name, sizeOf(shape)] as const);
  const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
  return {
    all: ratio(total(sizes.map(([name]) => counts.get(name)!)), total(sizes.map(([, size]) => size))),
    weights: Object.fromEntries(sizes.map(([name, size]) => [name, ratio(counts.get(name)!, size)])),
  };
}
