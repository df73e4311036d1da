import { type NamedTensors, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';

/** The options of `weightAveraging`, declared once. */
export const weightAveragingOptionTable = {
  /** Decay rate of the moving average; smaller in the first steps. Above 0 and below 1; default 0.999. */
  decay: option.number({
    above: 0,
    below: 1,
    default: 0.999,
    describe: 'Decay rate of the moving average; smaller in the first steps.',
  }),
  /** Weights of the posterior to average. `mean` or `median`; default `mean`. */
  kind: option.choice(['mean', 'median'], {
    default: 'mean',
    describe: 'Weights of the posterior to average.',
  }),
} as const satisfies OptionTable;

export interface WeightAveragingOptions extends OptionsOf<typeof weightAveragingOptionTable> {}

/**
 * Exponential moving average of the weights: ema ← d·ema + (1 − d)·w, with d = min(decay, (1 + t) / (10 + t)) at step
 * t, so that the initial weights do not dominate early averages. The average is evaluated, returned and exported, and
 * it is part of the checkpoint. (Polyak & Juditsky 1992; the ramp as in TensorFlow's ExponentialMovingAverage.)
 */
export function weightAveraging(options: WeightAveragingOptions = {}): Plugin {
  const { decay, kind } = resolveOptions('weightAveraging', weightAveragingOptionTable, options);
  let average: NamedTensors | undefined;
  const replace = ({ ops }: TrainingRun, next: NamedTensors | undefined) => {
    if (average !== undefined) ops.dispose(average);
    average = next;
  };
  return {
    ...pluginMarker,
    name: 'weightAveraging',
    start() {
      // `close` has freed the tensors of an earlier run.
      average = undefined;
    },
    step({ step }, run) {
      const { ops, optimizer, state } = run;
      const d = Math.min(decay, (1 + step) / (10 + step));
      const next = ops.scope(() => {
        const weights = optimizer.weights(ops, state, kind);
        const old = average;
        if (old === undefined) return weights;
        return map(weights, (weight, name) => ops.add(ops.multiply(old[name]!, d), ops.multiply(weight, 1 - d)));
      });
      replace(run, next);
    },
    weights({ ops }) {
      return average && map(average, (tensor) => ops.reshape(tensor, tensor.shape));
    },
    state: () => ({ tensors: average ?? {} }),
    restore({ tensors = {} }, run) {
      replace(run, Object.keys(tensors).length > 0 ? tensors : undefined);
    },
    close(run) {
      replace(run, undefined);
    },
  };
}

function map(tensors: NamedTensors, body: (tensor: NamedTensors[string], name: string) => NamedTensors[string]) {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, body(tensor, name)]));
}
