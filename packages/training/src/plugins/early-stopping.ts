import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Plugin } from '../plugin.js';

/** The options of `earlyStopping`, declared once. */
export const earlyStoppingOptionTable = {
  /** Validations without a better result after which the run stops. A whole number, at least 1; required. */
  patience: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Validations without a better result after which the run stops.',
  }),
  /** What must get better on the validation data. `loss` or `accuracy`; default `loss`. */
  metric: option.choice(['loss', 'accuracy'], {
    default: 'loss',
    describe: 'What must get better on the validation data.',
  }),
  /** By how much a result must be better to count. At least 0; default 0. */
  minimumImprovement: option.number({
    atLeast: 0,
    default: 0,
    describe: 'By how much a result must be better to count.',
  }),
} as const satisfies OptionTable;

export interface EarlyStoppingOptions extends OptionsOf<typeof earlyStoppingOptionTable> {}

type Memory = { readonly best: number | null; readonly withoutImprovement: number };

const fresh: Memory = { best: null, withoutImprovement: 0 };

/** Stops a run whose validation loss or accuracy has not got better for some evaluations. A NaN is never better. */
export function earlyStopping(options: EarlyStoppingOptions): Plugin {
  const { metric, patience, minimumImprovement } = resolveOptions('earlyStopping', earlyStoppingOptionTable, options);
  let memory = fresh;
  const reason = () => `Validation ${metric} has not improved on ${memory.best} for ${patience} evaluations.`;
  return {
    name: 'earlyStopping',
    start(_, { data }) {
      memory = fresh;
      if (data.validation === undefined) {
        throw new LmdError('INVALID_ARGUMENT', 'There is no validation data to stop by.', {
          subject: 'data.validation',
          remedy: 'Give train validation data, and evaluateEvery.',
        });
      }
    },
    evaluate(event, run) {
      if (event.split !== 'validation') return;
      // Oriented so that more is better.
      const value = metric === 'loss' ? -event.loss : event.accuracy;
      const best = memory.best === null ? Number.NEGATIVE_INFINITY : metric === 'loss' ? -memory.best : memory.best;
      // An accuracy beside a loss that is NaN says nothing.
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
