import { UsageError } from '@lmd/cli';
import { type Results, type RunTrialsOptions, runTrials } from '@lmd/cli/experiment';
import { pendingTrials, planStudy } from '../plan/plan.js';
import type { Trial } from '../plan/trial.js';
import type { PartName, Study } from '../study/schema.js';
import { studyUnit } from './estimate.js';

export interface RunStudyOptions extends Pick<RunTrialsOptions<Trial>, 'out' | 'runner' | 'signal' | 'progress'> {
  readonly study: Study;
  readonly only?: PartName | undefined;
}

/**
 * Runs the missing trials of a study, as `runTrials` of the command does for any plan.
 *
 * @returns number of trials that ran.
 * @throws UsageError if the study is frozen, or `only` depends on a search that is not complete; as `runTrials`.
 */
export async function runStudy({ study, only, ...options }: RunStudyOptions): Promise<number> {
  if (study.frozen !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `The study ${study.name} is frozen: ${study.frozen}`, {
      subject: 'frozen',
      value: study.name,
      remedy: 'To run it again, remove `frozen` from a copy of the study and use another folder with --out.',
    });
  }
  return runTrials({
    ...options,
    what: 'study',
    pending: (results) => pendingTrials({ study, results, only }),
    planned: (results) => planStudy({ study, results, only }).trials,
    check: (results) => checkSearched(study, results, only),
    unit: studyUnit(study),
    secondsPerUnit: study.budget.secondsPerStep,
  });
}

function checkSearched(study: Study, results: Results, only: PartName | undefined): void {
  if (only === undefined || only === 'search' || !planStudy({ study, results, only }).provisional) return;
  throw new UsageError('INVALID_ARGUMENT', `--only ${only} depends on the search, which is not complete.`, {
    subject: '--only',
    value: only,
    remedy: 'Run --only search first, or all parts.',
  });
}
