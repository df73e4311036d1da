import { showDuration, workOf } from '@lmd/cli/experiment';
import { type PlanOptions, planStudy } from '../plan/plan.js';
import type { Trial } from '../plan/trial.js';
import { studyUnit } from './estimate.js';

export interface DryRunOptions extends PlanOptions {
  readonly parallel: number;
  /** Lists every trial, and whether it is in the ledger, not only the number of trials per part. */
  readonly verbose: boolean;
}

/** Describes what a study would run, part by part, with the estimated time. */
export function describePlan(options: DryRunOptions): string {
  const { study, results, parallel, verbose } = options;
  const { trials, provisional } = planStudy(options);
  const unit = studyUnit(study);
  const secondsOf = (some: readonly Trial[]) =>
    some.reduce((sum, { configuration }) => sum + workOf(configuration, unit), 0) * study.budget.secondsPerStep;
  const missing = (some: readonly Trial[]) => some.filter(({ hash }) => !results.has(hash));
  const parts = [...new Set(trials.map(({ part }) => part))];
  const rows = parts.map((part) => {
    const own = trials.filter((trial) => trial.part === part);
    const left = missing(own);
    return [
      part,
      String(own.length),
      String(own.length - left.length),
      String(left.length),
      showDuration(secondsOf(left)),
    ];
  });
  const left = missing(trials);
  const total = [
    'total',
    String(trials.length),
    String(trials.length - left.length),
    String(left.length),
    showDuration(secondsOf(left)),
  ];
  const hours = secondsOf(left) / 3600;
  const { coreHours, secondsPerStep } = study.budget;
  return [
    ...(verbose
      ? [
          ...trials.map(({ label, hash }) => `${hash.slice(0, 12)}  ${results.has(hash) ? 'done' : 'left'}  ${label}`),
          '',
        ]
      : []),
    ...table([['part', 'trials', 'done', 'left', 'core time'], ...rows, total]),
    '',
    `${hours < 0.1 ? `${showDuration(hours * 3600)} of one core` : `${hours.toFixed(1)} core-hours`} left at ` +
      `${1000 * secondsPerStep} ms per step of the study's model; the budget of the whole study is ${coreHours} ` +
      'core-hours.' +
      (parallel > 1 ? ` With --parallel ${parallel}: about ${showDuration((hours * 3600) / parallel)}.` : ''),
    ...(hours > coreHours ? ['This exceeds the budget: reduce steps, seeds or variants in the study.'] : []),
    ...(provisional
      ? ['Trials after the search depend on its winners, so their configurations are not known yet.']
      : []),
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}
