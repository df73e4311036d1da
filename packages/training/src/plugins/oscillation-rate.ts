import { type NamedTensors, type OptionsOf, resolveOptions, type Tensor } from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { isDue, mapTensors, ratio, readScalars } from './measure.js';
import { quantizedWeights, quantizedWeightsOptionTable, sharesOf } from './quantized-weights.js';

export interface OscillationRateOptions extends OptionsOf<typeof quantizedWeightsOptionTable> {}

/**
 * Reports the oscillation rate of quantized weights: the fraction of the mean weights of rank 2 and more whose value,
 * rounded to the format (to nearest), changes in the measured step and returns to what it was two steps before. Such a
 * weight moves back and forth across the boundary between two values instead of anywhere (Nagel et al.,
 * arXiv:2203.11086; of MXFP4: arXiv:2502.20853). `ofFlips` is the same as a fraction of all that change, as `flipRate`
 * counts them: 1 if every change is undone in the next step, null if nothing changes.
 *
 * Cost: a quantization of the weights in the measured step and the two before, two copies of them in between, and one
 * readback. The copies are part of the plugin's state. The first two steps of a run are not measured.
 */
export function oscillationRate(options: OscillationRateOptions): Plugin {
  const resolved = resolveOptions('oscillationRate', quantizedWeightsOptionTable, options);
  const { every } = resolved;
  /** Quantized weights of the step before, and of the one before that. */
  let history: readonly NamedTensors[] = [];

  const forget = ({ ops }: TrainingRun, kept: readonly NamedTensors[]) => {
    for (const weights of history) if (!kept.includes(weights)) ops.dispose(weights);
    history = kept;
  };
  const isNeeded = (step: number, totalSteps: number) =>
    [0, 1, 2].some((ahead) => step + ahead <= totalSteps && isDue(step + ahead, every, totalSteps));

  return {
    ...pluginMarker,
    name: 'oscillationRate',
    start(_, run) {
      // `close` has freed the tensors of an earlier run.
      history = [];
      if (isNeeded(run.step, run.totalSteps)) history = [quantizedWeights(run, resolved)];
    },
    async step({ step }, run) {
      const { totalSteps } = run;
      if (!isNeeded(step, totalSteps)) return forget(run, []);
      const now = quantizedWeights(run, resolved);
      const [before, first] = history;
      try {
        if (isDue(step, every, totalSteps) && before !== undefined && first !== undefined) {
          await report(run, first, before, now);
        }
      } finally {
        forget(run, before === undefined ? [now] : [now, before]);
      }
    },
    state: () => ({
      tensors: Object.fromEntries(
        history.flatMap((weights, age) => Object.entries(weights).map(([name, x]) => [`${age}/${name}`, x])),
      ),
    }),
    restore({ tensors = {} }, run) {
      const ages: Record<string, Tensor>[] = [];
      for (const [name, tensor] of Object.entries(tensors)) {
        const age = Number(name[0]);
        ages[age] ??= {};
        ages[age][name.slice(2)] = tensor;
      }
      forget(run, ages);
    },
    close(run) {
      forget(run, []);
    },
  };
}

async function report(run: TrainingRun, first: NamedTensors, before: NamedTensors, now: NamedTensors): Promise<void> {
  const { ops, step } = run;
  const scalars = await readScalars(ops, () => {
    const sumOf = (ofWeight: (name: string) => Tensor) => mapTensors(now, (_, name) => ops.scope(() => ofWeight(name)));
    const unlessSame = (name: string, one: Tensor | number) =>
      ops.sum(ops.where(ops.equal(now[name]!, before[name]!), 0, one));
    return {
      ...prefixed(
        'flips/',
        sumOf((name) => unlessSame(name, 1)),
      ),
      ...prefixed(
        'returns/',
        sumOf((name) => unlessSame(name, ops.where(ops.equal(now[name]!, first[name]!), 1, 0))),
      ),
    };
  });
  const of = (prefix: string) => new Map(Object.keys(now).map((name) => [name, scalars.get(prefix + name)!]));
  const [flips, returns] = [of('flips/'), of('returns/')];
  const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, one) => sum + one, 0);
  const data = { ...sharesOf(now, returns), ofFlips: ratio(total(returns), total(flips)) };
  await run.announce({ type: 'report', step, plugin: 'oscillationRate', data });
}

function prefixed(prefix: string, tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}
