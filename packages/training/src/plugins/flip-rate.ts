import { type NamedTensors, type OptionsOf, resolveOptions, sizeOf } from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { countOf, isDue, mapTensors, readScalars } from './measure.js';
import { quantizedWeights, quantizedWeightsOptionTable, sharesOf } from './quantized-weights.js';

export interface FlipRateOptions extends OptionsOf<typeof quantizedWeightsOptionTable> {}

/**
 * Reports the flip rate of quantized weights: the fraction of the mean weights of rank 2 and more whose value, rounded
 * to the format (to nearest), changes in one step. A rate near 0 means that updates are lost in rounding; a rate that
 * stays high while the loss does not decrease means that weights oscillate between neighbouring values.
 *
 * Cost: a quantization of the weights in the measured step and the one before, a copy of them in between, and one
 * readback. The copy is part of the plugin's state. With `every` 1, each step is compared with the previous one.
 */
export function flipRate(options: FlipRateOptions): Plugin {
  const resolved = resolveOptions('flipRate', quantizedWeightsOptionTable, options);
  const { every } = resolved;
  let before: NamedTensors | undefined;

  const quantized = (run: TrainingRun) => quantizedWeights(run, resolved);
  const remember = ({ ops }: TrainingRun, next: NamedTensors | undefined) => {
    if (before !== undefined) ops.dispose(before);
    before = next;
  };

  return {
    ...pluginMarker,
    name: 'flipRate',
    start(_, run) {
      // `close` has freed the tensors of an earlier run.
      before = undefined;
      if (isDue(run.step + 1, every, run.totalSteps)) remember(run, quantized(run));
    },
    async step({ step }, run) {
      const { ops, totalSteps } = run;
      const [measures, isNext] = [isDue(step, every, totalSteps), isDue(step + 1, every, totalSteps)];
      if (!measures && !isNext) return;
      const now = quantized(run);
      const old = before;
      try {
        if (measures && old !== undefined) await report(run, old, now);
      } finally {
        remember(run, isNext && step < totalSteps ? now : undefined);
        if (before !== now) ops.dispose(now);
      }
    },
    state: () => ({ tensors: before ?? {} }),
    restore({ tensors = {} }, run) {
      remember(run, Object.keys(tensors).length > 0 ? tensors : undefined);
    },
    close(run) {
      remember(run, undefined);
    },
  };
}

async function report(run: TrainingRun, old: NamedTensors, now: NamedTensors): Promise<void> {
  const { ops, step } = run;
  const same = await readScalars(ops, () =>
    mapTensors(now, (weight, name) => ops.scope(() => countOf(ops, ops.equal(weight, old[name]!)))),
  );
  const flips = Object.entries(now).map(([name, { shape }]) => [name, sizeOf(shape) - same.get(name)!] as const);
  await run.announce({ type: 'report', step, plugin: 'flipRate', data: sharesOf(now, new Map(flips)) });
}
