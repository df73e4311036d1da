import { existsSync, readFileSync } from 'node:fs';
import { fromJson } from '@lmd/training';
import { trialLayout } from '../run/layout.js';
import type { TrialResult } from '../run/types.js';

/** What `summary.json` in the folder of one rule holds. */
export interface TrialSummary {
  readonly result: TrialResult;
  readonly steps: number;
  readonly device: string;
  readonly model: string;
  readonly parameters: number;
  readonly data: string;
}

/** The summary of a rule that is done, or undefined where it is not. */
export function readTrialSummary(folder: string): TrialSummary | undefined {
  const { summary } = trialLayout(folder);
  return existsSync(summary) ? (fromJson(readFileSync(summary, 'utf8')) as TrialSummary) : undefined;
}
