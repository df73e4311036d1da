import { existsSync, readFileSync } from 'node:fs';
import { trialLayout } from '../run/layout.js';
import type { TrialResult } from '../run/types.js';

/** What `summary.json` in the folder of one rule holds. */
export interface TrialSummary {
  readonly result: TrialResult;
  readonly steps: number;
  /** Of `samples`: what a language model wrote after each prompt. */
  readonly samples?: readonly { readonly prompt: string; readonly text: string }[];
  readonly device: string;
  readonly model: string;
  readonly parameters: number;
  readonly data: string;
  /** Cross-entropy of a uniform guess, in nats: training that ends no lower has learned nothing. */
  readonly uniformLoss: number;
}

/** The summary of a rule that is done, or undefined where it is not. */
export function readTrialSummary(folder: string): TrialSummary | undefined {
  const { summary } = trialLayout(folder);
  return existsSync(summary) ? (JSON.parse(readFileSync(summary, 'utf8')) as TrialSummary) : undefined;
}
