import type { Results } from '@lmd/cli/experiment';
import type { PartName, Study } from '../study/schema.js';
import type { Trial } from './trial.js';
import { searchTrials, standInOptions, trialsOf, type WinnerState, winners, winningOptions } from './trials.js';

export interface PlanOptions {
  readonly study: Study;
  readonly results: Results;
  /** Only this part (default: all parts, in the study's order). */
  readonly only?: PartName | undefined;
}

export interface Plan {
  /** In execution order, each once, since two parts may share a trial. */
  readonly trials: readonly Trial[];
  /** True while the search is not complete. Later configurations are then placeholders, used only for counting. */
  readonly provisional: boolean;
  readonly winners: ReadonlyMap<string, WinnerState>;
}

function once(trials: readonly Trial[]): Trial[] {
  const seen = new Set<string>();
  return trials.filter(({ hash }) => {
    if (seen.has(hash)) return false;
    seen.add(hash);
    return true;
  });
}

/** Every trial of the study, or of one part, given the results so far. */
export function planStudy({ study, results, only }: PlanOptions): Plan {
  const found = winners(study, results);
  const provisional = [...found.values()].includes('waiting');
  const optionsOf = provisional ? standInOptions(study) : winningOptions(found);
  const stages = only === undefined ? study.order : [{ part: only }];
  const trials = stages.flatMap((stage) =>
    trialsOf(study, stage.part, optionsOf, 'seeds' in stage ? stage.seeds : undefined),
  );
  return { trials: once(trials), provisional, winners: found };
}

/** The next trials to run: the first in order that are not in the ledger and not provisional. */
export function pendingTrials(options: PlanOptions): Trial[] {
  const { study, results, only } = options;
  const search = searchTrials(study);
  const open = (trials: readonly Trial[]) => trials.filter(({ hash }) => !results.has(hash));
  const { trials, provisional } = planStudy(options);
  // All other parts depend on the search, so it comes first even if `order` or `only` differ.
  if (provisional) return only === undefined || only === 'search' ? open(search) : [];
  return open(trials);
}
