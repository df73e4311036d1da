import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';

/** The options of `earlyStopping`, declared once. */
export const earlyStoppingOptionTable = {
  /** Number of validations without improvement after which the run stops. A whole number, at least 1; required. */
  patience: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Number of validations without improvement after which the run stops.',
  }),
  /** Validation metric to monitor. `loss` or `accuracy`; default `loss`. */
  metric: option.choice(['loss', 'accuracy'], {
    default: 'loss',
    describe: 'Validation metric to monitor.',
  }),
  /** Minimum change that counts as an improvement. At least 0; default 0. */
  minimumImprovement: option.number({
    atLeast: 0,
    default: 0,
    describe: 'Minimum change that counts as an improvement.',
  }),
} as const satisfies OptionTable;

export interface EarlyStoppingOptions extends OptionsOf<typeof earlyStoppingOptionTable> {}

type Memory = { readonly best: number | null; readonly withoutImprovement: number };

const fresh: Memory = { best: null, withoutImprovement: 0 };

/** Stops a run when the validation loss or accuracy stops improving. NaN is never an improvement. */
export function earlyStopping(options: EarlyStoppingOptions): Plugin {
  const { metric, patience, minimumImprovement } = resolveOptions('earlyStopping', earlyStoppingOptionTable, options);
  let memory = fresh;
  const reason = () => `Validation ${metric} has not improved on ${memory.best} for ${patience} evaluations.`;
  return {
    ...pluginMarker,
    name: 'earlyStopping',
    start(_, { data }) {
      memory = fresh;
      if (data.validation === undefined) {
        throw new LmdError('INVALID_ARGUMENT', 'earlyStopping needs validation data, but data.validation is missing.', {
          subject: 'data.validation',
          remedy: 'Set data.validation and evaluateEvery.',
        });
      }
    },
    evaluate(event, run) {
      if (event.split !== 'validation') return;
      // The sign is chosen so that larger is better.
      const value = metric === 'loss' ? -event.loss : event.accuracy;
      const best = memory.best === null ? Number.NEGATIVE_INFINITY : metric === 'loss' ? -memory.best : memory.best;
      // If the loss is NaN, the accuracy is meaningless.
      const improved = !Number.isNaN(event.loss) && value > best + minimumImprovement;
      memory = improved
        ? { best: event[metric], withoutImprovement: 0 }
        : { ...memory, withoutImprovement: memory.withoutImprovement + 1 };
      if (memory.withoutImprovement >= patience) run.stop(reason());
    },
    state: () => ({ data: memory }),
    restore({ data }, run) {
      memory = data as Memory;
      // A run that was stopped stays stopped.
      if (memory.withoutImprovement >= patience) run.stop(reason());
    },
  };
}
