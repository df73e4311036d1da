import { createHash } from 'node:crypto';
import type { AdamwOptions } from '@lmd/core';
import type { RuleName, RuleOptions } from '../study/rules.js';
import type { ModelSizes } from '../study/schema.js';

/** The examples of a trial, without where they are: a folder's place changes no result. */
export type TrialData =
  | { readonly kind: 'fashion-mnist' | 'mnist'; readonly validation: number }
  | {
      readonly kind: 'synthetic';
      readonly train: number;
      readonly validation: number;
      readonly test: number;
      readonly classes: number;
      readonly size: number;
      readonly noise: number;
    };

/** Everything that a trial's result is a function of, besides code and backend. Its hash names the trial in the ledger. */
export interface TrialConfig {
  readonly backend: 'cpu' | 'reference';
  readonly data: TrialData;
  readonly model: ModelSizes;
  readonly rule: RuleName;
  readonly options: RuleOptions;
  readonly clipNorm?: number;
  /** AdamW for what the rule does not take; absent where it takes all. */
  readonly rest?: AdamwOptions;
  readonly format: string;
  readonly steps: number;
  readonly warmup: number;
  readonly batchSize: number;
  /** Of initial weights, data order and noise. */
  readonly seed: number;
  readonly split: 'validation' | 'test';
  readonly evaluationBatchSize: number;
  /** Steps at which validation data is evaluated on the way; none where absent. */
  readonly evaluateEvery?: number;
  /** Steps after which the layers are measured. */
  readonly measureAt: readonly number[];
  readonly measuredExamples: number;
  /** Formats in which the trained weights are evaluated too. */
  readonly deploy: readonly string[];
}

/** JSON with the keys of every object in order, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** SHA-256 of the canonical configuration, in full. */
export function hashOf(config: TrialConfig): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex');
}
