import { LmdError } from '@lmd/core';
import { checkedCount, refuseUnknownOptions } from '../options.js';
import type { Plugin } from '../plugin.js';

export interface EarlyStoppingOptions {
  /** Which number on the validation data must get better. Default `loss`. */
  readonly metric?: 'loss' | 'accuracy';
  /** Evaluations without a better number after which the run stops. */
  readonly patience: number;
  /** By how much a number must be better to count. Default 0. */
  readonly minimumImprovement?: number;
}

type Memory = { readonly best: number | null; readonly withoutImprovement: number };

const fresh: Memory = { best: null, withoutImprovement: 0 };

/** Stops a run whose validation loss or accuracy has not got better for some evaluations. A NaN is never better. */
export function earlyStopping(options: EarlyStoppingOptions): Plugin {
  refuseUnknownOptions('earlyStopping', options, ['metric', 'patience', 'minimumImprovement']);
  const { metric = 'loss', minimumImprovement = 0 } = options;
  const patience = checkedCount('earlyStopping', 'patience', options.patience, 1);
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
