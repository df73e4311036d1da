import { globalNorm, resolveOptions, sizeOf } from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { isDue, type MeasureOptions, measureOptionTable, ratio, readScalars, totalByName } from './measure.js';

export type WeightGrowthOptions = MeasureOptions;

/**
 * Reports the growth of the weights, for each and for all together: the root mean square of the mean weights, its ratio
 * to that at the start of the run (`growth`, null for a weight initialized to zeros), and the largest magnitude.
 * Multiplicative optimizers can grow weights exponentially, which this shows long before the loss does.
 *
 * Cost: the evaluation weights and two sums per weight at each measurement, and one readback. The state is the initial
 * root mean squares.
 */
export function weightGrowth(options: WeightGrowthOptions = {}): Plugin {
  const { every } = resolveOptions('weightGrowth', measureOptionTable, options);
  let initial: { readonly [weight: string]: number } = {};
  return {
    ...pluginMarker,
    name: 'weightGrowth',
    async start(_, run) {
      initial = (await measure(run)).squares;
    },
    async step({ step }, run) {
      if (!isDue(step, every, run.totalSteps)) return;
      const { squares, largest, sizes } = await measure(run);
      const weights = Object.fromEntries(
        Object.entries(squares).map(([name, sum]) => [
          name,
          {
            rms: Math.sqrt(sum / sizes[name]!),
            growth: ratio(Math.sqrt(sum), Math.sqrt(initial[name]!)),
            largest: largest[name]!,
          },
        ]),
      );
      const all = {
        rms: Math.sqrt(totalByName(squares) / totalByName(sizes)),
        growth: ratio(Math.sqrt(totalByName(squares)), Math.sqrt(totalByName(initial))),
        largest: Object.values(largest).reduce((a, b) => Math.max(a, b), 0),
      };
      await run.announce({ type: 'report', step, plugin: 'weightGrowth', data: { all, weights } });
    },
    state: () => ({ data: initial }),
    restore({ data }) {
      initial = data as typeof initial;
    },
  };
}

async function measure({ ops, optimizer, state }: TrainingRun) {
  const sizes: Record<string, number> = {};
  const scalars = await readScalars(ops, () => {
    const weights = optimizer.weights(ops, state, 'mean');
    return Object.fromEntries(
      Object.entries(weights).flatMap(([name, weight]) => {
        sizes[name] = sizeOf(weight.shape);
        return [
          [`${name}/norm`, globalNorm(ops, { [name]: weight })],
          [`${name}/largest`, ops.max(ops.absolute(weight))],
        ];
      }),
    );
  });
  const of = (kind: string) =>
    Object.fromEntries(Object.keys(sizes).map((name) => [name, scalars.get(`${name}/${kind}`)!]));
  // Squared here in f64, which can represent the square of every f32.
  const squares = Object.fromEntries(Object.entries(of('norm')).map(([name, norm]) => [name, norm * norm]));
  return { squares, largest: of('largest'), sizes };
}
