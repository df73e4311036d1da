import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '@lmd/cli';
import { type LedgerRecord, type RecordedResult, resultsOf, type TrialRunner } from '@lmd/cli/experiment';
import { LmdError } from '@lmd/core';
import { planStudy } from '../plan/plan.js';
import type { Trial } from '../plan/trial.js';
import type { Study } from '../study/schema.js';

export interface RepeatOptions {
  readonly study: Study;
  readonly records: readonly LedgerRecord[];
  /** Label of the trial in the ledger: `final lmd fp32 seed 1`. */
  readonly label: string;
  readonly runner: TrialRunner;
  readonly signal: AbortSignal;
  readonly onStep: (trial: Trial, step: number) => void;
}

/** What a repetition may change: the machine and its memory. */
type Compared = Omit<RecordedResult, 'device' | 'peakMemoryBytes'>;

function comparedOf({ device: _, peakMemoryBytes: __, ...result }: RecordedResult): Compared {
  // The ledger is JSON, which has no undefined values.
  return JSON.parse(JSON.stringify(result));
}

/**
 * Runs a recorded trial again, and compares every number of its result with the ledger's.
 *
 * @returns the record that the repetition equals.
 * @throws UsageError if the study has no such trial, or the ledger no record of it; LmdError `RESULT_MISMATCH` naming
 *   the results that differ; as the runner.
 */
export async function repeatTrial(options: RepeatOptions): Promise<LedgerRecord> {
  const { study, records, label, runner, signal, onStep } = options;
  const { trials } = planStudy({ study, results: resultsOf(records) });
  const trial = trials.find((planned) => planned.label === label);
  const record = records.find(({ hash }) => hash === trial?.hash);
  if (trial === undefined || record === undefined) {
    const missing = trial === undefined ? `The study ${study.name} has no trial` : 'The ledger has no record of';
    throw new UsageError('INVALID_ARGUMENT', `--repeat: ${missing} "${label}".`, {
      subject: '--repeat',
      value: label,
      remedy: 'Use the label of a finished trial; --dry-run --verbose lists all.',
    });
  }
  const { finished } = await runner.run(trial, { signal, onStep: (step) => onStep(trial, step) });
  const [was, is] = [comparedOf(record.result), comparedOf(finished.result)];
  // Results that an older version did not record cannot be compared.
  const names = Object.keys(was) as (keyof Compared)[];
  const different = names.filter((name) => !isDeepStrictEqual(was[name], is[name]));
  if (different.length > 0) {
    const list = different.map((name) => `${name}: ${shown(was[name])}, now ${shown(is[name])}`);
    throw new LmdError('RESULT_MISMATCH', `"${label}" has other results than in the ledger. ${list.join('; ')}.`, {
      subject: label,
      value: different,
      remedy:
        `Use the code and the machine of the record: commit ${record.commit}, ${record.machine}, ` +
        `${record.result.device ?? 'an unknown device'}. Fused and strict multiply-add round differently.`,
    });
  }
  return record;
}

const shown = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 60);
