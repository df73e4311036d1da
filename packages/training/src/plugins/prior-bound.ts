import {
  lmdLogMedians,
  lmdOptionTable,
  lmdWeightNames,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  sizeOf,
} from '@lmd/core';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { countOf, isDue, measureOptionTable, ratio, readScalars } from './measure.js';

/** The options of `priorBound`, declared once. */
export const priorBoundOptionTable = {
  ...measureOptionTable,
  /**
   * λ, the `regularization` of the optimizer: with the log-normal prior, |log(m/m₀)| stays below 1/λ. Above 0;
   * required.
   */
  regularization: option.number({
    above: 0,
    required: true,
    describe: 'λ, the `regularization` of the optimizer: with the log-normal prior, |log(m/m₀)| stays below 1/λ.',
  }),
  /** ε: a coordinate counts as at the bound if |log(m/m₀)| is at least (1 − ε)/λ. Above 0 and below 1; default 0.05. */
  tolerance: option.number({
    above: 0,
    below: 1,
    default: 0.05,
    describe: 'ε: a coordinate counts as at the bound if |log(m/m₀)| is at least (1 − ε)/λ.',
  }),
  /**
   * `initialization` of the optimizer `lmd`; it only matters with `priorMedian` `initialWeights`. `floor` or
   * `hypentropy`; default `floor`.
   */
  initialization: {
    ...lmdOptionTable.initialization,
    describe: '`initialization` of the optimizer `lmd`; it only matters with `priorMedian` `initialWeights`.',
  },
} as const satisfies OptionTable;

export interface PriorBoundOptions extends OptionsOf<typeof priorBoundOptionTable> {}

/**
 * Reports the fraction of LMD's medians, of both halves, at the bound of the log-normal prior: |log(m/m₀)| ≥ (1 − ε)/λ.
 * A large fraction means that λ is too large for the weights that the task needs. Does nothing for optimizers without
 * such medians.
 *
 * Cost: a few elementwise operations per weight at each measurement, and one readback. Stateless.
 */
export function priorBound(options: PriorBoundOptions): Plugin {
  const checked = resolveOptions('priorBound', priorBoundOptionTable, options);
  const { every, regularization: lambda, tolerance, initialization } = checked;
  const bound = (1 - tolerance) / lambda;
  return {
    ...pluginMarker,
    name: 'priorBound',
    async step({ step }, run) {
      const { ops, state, totalSteps } = run;
      if (!isDue(step, every, totalSteps)) return;
      const sizes: Record<string, number> = {};
      const counts = await readScalars(ops, () =>
        Object.fromEntries(
          lmdWeightNames(state).map((name) => [
            name,
            ops.scope(() => {
              const medians = lmdLogMedians(ops, state, name, initialization);
              const halves = [
                ops.subtract(medians.logPlus, medians.logPriorPlus),
                ops.subtract(medians.logMinus, medians.logPriorMinus),
              ];
              sizes[name] = 2 * sizeOf(medians.logPlus.shape);
              // Negated comparison, so that NaN counts.
              const inside = halves.map((half) => countOf(ops, ops.less(ops.absolute(half), bound)));
              return ops.subtract(sizes[name], ops.add(inside[0]!, inside[1]!));
            }),
          ]),
        ),
      );
      if (counts.size === 0) return;
      const total = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
      const data = {
        bound,
        all: ratio(total(counts.values()), total(Object.values(sizes))),
        weights: Object.fromEntries([...counts].map(([name, count]) => [name, ratio(count, sizes[name]!)])),
      };
      await run.announce({ type: 'report', step, plugin: 'priorBound', data });
    },
  };
}
