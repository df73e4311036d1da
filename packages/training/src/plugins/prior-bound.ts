import { type LmdInitialization, lmdLogMedians, lmdWeightNames, sizeOf } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Plugin } from '../plugin.js';
import { countOf, everyOption, isDue, type MeasureOptions, numberBetween, ratio, readScalars } from './measure.js';

export interface PriorBoundOptions extends MeasureOptions {
  /** λ of the optimizer: with the log-normal prior |log(m/m₀)| stays below 1/λ. Above 0. */
  readonly regularization: number;
  /** ε: a coordinate is at the bound from (1 − ε)/λ. In (0, 1); default 0.05. */
  readonly tolerance?: number;
  /** The `initialization` of the optimizer; used only with `priorMedian: 'initialWeights'`. Default `floor`. */
  readonly initialization?: LmdInitialization;
}

/**
 * Reports the fraction of LMD's medians, of both halves, at the bound of the log-normal prior: |log(m/m₀)| ≥ (1 − ε)/λ.
 * A large fraction means that λ is too large for the weights that the task needs. Does nothing for optimizers without
 * such medians.
 *
 * Cost: a few elementwise operations per weight at each measurement, and one readback. Stateless.
 */
export function priorBound(options: PriorBoundOptions): Plugin {
  refuseUnknownOptions('priorBound', options, ['every', 'regularization', 'tolerance', 'initialization']);
  const every = everyOption('priorBound', options);
  const lambda = numberBetween('priorBound', 'regularization', options.regularization, 0, Infinity);
  const tolerance = numberBetween('priorBound', 'tolerance', options.tolerance ?? 0.05, 0, 1);
  const bound = (1 - tolerance) / lambda;
  return {
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
              const medians = lmdLogMedians(ops, state, name, options.initialization);
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
