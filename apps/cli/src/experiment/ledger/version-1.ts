import type { RecordedResult } from '../result.js';
import { hashOf, type Options, type TrialConfiguration } from '../trial.js';
import type { LedgerRecord, Provenance } from './record.js';

/** A record from before trials were configurations of `lmd train`. */
interface Version1 extends Provenance {
  readonly label: string;
  readonly config: {
    readonly backend: string;
    readonly data: { readonly kind: string; readonly validation: number };
    readonly model: object;
    readonly rule: string;
    readonly options: Options;
    readonly clipNorm?: number;
    readonly rest?: Options;
    readonly format: string;
    readonly steps: number;
    readonly warmup: number;
    readonly batchSize: number;
    readonly seed: number;
    readonly split: string;
    readonly evaluationBatchSize: number;
    readonly evaluateEvery?: number;
    readonly measureAt: readonly number[];
    readonly deploy: readonly string[];
  };
  readonly result: RecordedResult;
  readonly cpuSeconds: number;
}

export function isVersion1(record: object): record is Version1 {
  return 'config' in record;
}

/**
 * Converts the record to the current form, for reports of frozen studies. A new trial of that configuration is not
 * bit-identical: the cosine schedule then reached 0 one step after the last.
 */
export function fromVersion1({ label, config, result, cpuSeconds, ...provenance }: Version1): LedgerRecord {
  const { rule, options, clipNorm, rest, warmup, evaluateEvery, measureAt, deploy } = config;
  const configuration = {
    backend: config.backend,
    backward: 'bf16',
    batchSize: config.batchSize,
    data: config.data,
    dataSeed: 0,
    model: { kind: 'vit', ...config.model },
    seed: config.seed,
    steps: config.steps,
    precision: config.format,
    optimizers: [
      {
        name: 'trial',
        rule,
        ...options,
        ...(clipNorm === undefined ? {} : { clipNorm }),
        ...(rest === undefined ? {} : { rest }),
        schedule: { kind: 'cosine', warmup },
      },
    ],
    evaluation: {
      batchSize: config.evaluationBatchSize,
      every: evaluateEvery ?? config.steps,
      test: config.split === 'test',
      ...(deploy.length === 0 ? {} : { formats: deploy }),
    },
    ...(measureAt.length === 0 ? {} : { diagnostics: { quantizationNoise: true, every: measureAt[0] } }),
  } as TrialConfiguration;
  const { validation, kind } = config.data;
  const data = `${kind}: 60,000 training images, ${validation.toLocaleString('en')} of them held out, and 10,000 test images`;
  const hash = hashOf(configuration);
  return { ...provenance, hash, label, configuration, result: { ...result, data }, seconds: cpuSeconds };
}
