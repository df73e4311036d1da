import type { LedgerRecord, RecordedResult } from '@lmd/cli/experiment';
import { type Plan, planStudy } from '../plan/plan.js';
import type { Trial } from '../plan/trial.js';
import { titleOf } from '../study/optimizers.js';
import type { PartName, Study } from '../study/schema.js';

/** A trial of the study with its record in the ledger. */
export interface Finding {
  readonly trial: Trial;
  readonly record: LedgerRecord | undefined;
  readonly result: RecordedResult | undefined;
}

/** The input of a report: the study, its plan, and the ledger's records of its trials. */
export interface Evidence {
  readonly study: Study;
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  /** Records of other configurations, such as those of an earlier version of the study. */
  readonly others: number;
}

export function gatherEvidence(study: Study, records: readonly LedgerRecord[]): Evidence {
  const byHash = new Map<string, LedgerRecord>();
  for (const record of records) if (!byHash.has(record.hash)) byHash.set(record.hash, record);
  const results = new Map([...byHash].map(([hash, { result }]) => [hash, result]));
  const plan = planStudy({ study, results });
  // Planned per part, because parts may share a trial and each must show it.
  const parts = [...new Set(study.order.map(({ part }) => part))];
  const trials = parts.flatMap((only) => planStudy({ study, results, only }).trials);
  const known = new Set(trials.map(({ hash }) => hash));
  const findings = trials.map((trial): Finding => {
    const provisional = plan.provisional && trial.part !== 'search';
    const record = provisional ? undefined : byHash.get(trial.hash);
    return { trial, record, result: record?.result };
  });
  return { study, plan, findings, others: [...byHash.keys()].filter((hash) => !known.has(hash)).length };
}

/** Matching results of a part. */
export function select(
  { findings }: Evidence,
  part: PartName,
  fits: {
    readonly optimizer?: string;
    readonly format?: string;
    readonly variant?: string;
    readonly seed?: number;
  } = {},
): (Finding & { readonly result: RecordedResult })[] {
  return findings.filter(
    (finding): finding is Finding & { readonly result: RecordedResult } =>
      finding.result !== undefined &&
      finding.trial.part === part &&
      (fits.optimizer === undefined || finding.trial.optimizer === fits.optimizer) &&
      (fits.format === undefined || finding.trial.format === fits.format) &&
      (fits.variant === undefined || finding.trial.variant === fits.variant) &&
      (fits.seed === undefined || finding.trial.seed === fits.seed),
  );
}

/** Title of an optimizer in reports, with the study's name for it if the same optimizer occurs twice. */
export function optimizerTitle(study: Study, name: string): string {
  const { rule } = study.optimizers.find((candidate) => candidate.name === name)!;
  const title = titleOf(rule);
  return study.optimizers.filter((other) => other.rule === rule).length > 1 ? `${title} (${name})` : title;
}

/** The optimizer that the study is about. */
export function subjectOf({ subject, optimizers }: Study): string {
  return subject ?? optimizers.at(-1)!.name;
}

/** Differences of accuracy between two selections, paired by seed. */
export function pairedDifferences(
  ours: readonly (Finding & { readonly result: RecordedResult })[],
  theirs: readonly (Finding & { readonly result: RecordedResult })[],
): number[] {
  return ours.flatMap(({ trial, result }) => {
    const other = theirs.find((candidate) => candidate.trial.seed === trial.seed);
    if (result.accuracy === null || other === undefined || other.result.accuracy === null) return [];
    return [result.accuracy - other.result.accuracy];
  });
}

export function accuracies(findings: readonly { readonly result: RecordedResult }[]): number[] {
  return findings.flatMap(({ result }) => (result.accuracy === null ? [] : [result.accuracy]));
}
