import { LmdError, type NamedTensors, type WeightsKind } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Plugin, TrainingRun } from '../plugin.js';

export interface WeightAveragingOptions {
  /** Part of the average that each step keeps, in (0, 1). Default 0.999. */
  readonly decay?: number;
  /** Of which weights. Default `mean`. */
  readonly kind?: Exclude<WeightsKind, 'sample'>;
}

/**
 * Averages the weights over steps, exponentially: ema ← d·ema + (1 − d)·w, with d = min(decay, (1 + t) / (10 + t)) at
 * step t, so that an early average is not of the initial weights. The average is what is evaluated, returned and
 * exported, and it is part of the checkpoint. (Polyak & Juditsky 1992; the ramp as in TensorFlow's
 * ExponentialMovingAverage.)
 */
export function weightAveraging(options: WeightAveragingOptions = {}): Plugin {
  refuseUnknownOptions('weightAveraging', options, ['decay', 'kind']);
  const { decay = 0.999, kind = 'mean' } = options;
  if (!(decay > 0 && decay < 1)) {
    throw new LmdError('INVALID_ARGUMENT', `weightAveraging: decay is ${decay}.`, {
      subject: 'decay',
      value: decay,
      remedy: 'Give a number between 0 and 1, such as 0.999.',
    });
  }
  let average: NamedTensors | undefined;
  const replace = ({ ops }: TrainingRun, next: NamedTensors | undefined) => {
    if (average !== undefined) ops.dispose(average);
    average = next;
  };
  return {
    name: 'weightAveraging',
    start() {
      // What an earlier run left, `close` has freed.
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
