import type { ConfigurationInput } from '@lmd/cli';
import type { Options, TrialConfiguration } from '@lmd/cli/experiment';
import { takesMatricesAlone } from '../study/optimizers.js';
import type { Study, StudyOptimizer } from '../study/schema.js';

/** What one trial has of its own. */
export interface Changes {
  readonly variant?: string;
  readonly model?: { readonly [key: string]: unknown } | undefined;
  readonly data?: { readonly [key: string]: unknown } | undefined;
  readonly options: Options;
  readonly format: string;
  readonly steps: number;
  readonly seed: number;
  readonly split: 'validation' | 'test';
  readonly final?: Study['final'];
  /** Number of measurements of the quantized products. */
  readonly measures?: number;
  readonly deploy?: readonly string[];
}

/** The interval in steps for something that happens `times` times over the run. */
const spread = (steps: number, times: number) => Math.max(1, Math.floor(steps / times));

/** The configuration of one trial: the study's, with its own seed, steps, format and optimizer. */
export function configurationOf(study: Study, optimizer: StudyOptimizer, changes: Changes): TrialConfiguration {
  const { options, format, steps, seed, split, final, measures = 0, deploy = [], model, data } = changes;
  const { rule, clipNorm, weightNoise, distributed } = optimizer;
  const shared = study.configuration as unknown as TrialConfiguration;
  const measured = {
    ...(measures > 0 && shared.model.kind === 'vit' ? { quantizationNoise: true } : {}),
    ...(measures > 0 && final?.codes === true ? { flipRate: true, oscillationRate: true } : {}),
  };
  const entry = {
    name: 'trial',
    rule,
    ...optimizer.options,
    ...options,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(weightNoise === undefined ? {} : { weightNoise }),
    ...(takesMatricesAlone(rule) ? { rest: study.rest } : {}),
    schedule: { kind: 'cosine', warmup: Math.floor(study.warmup * steps) },
  } as ConfigurationInput['optimizers'][number];
  // Only reported runs have sample texts and measurements.
  const { samples, ...rest } = shared;
  return {
    dataSeed: 0,
    ...rest,
    ...(final !== undefined && samples !== undefined ? { samples } : {}),
    data: { ...shared.data, ...data } as TrialConfiguration['data'],
    model: { ...shared.model, ...model } as TrialConfiguration['model'],
    seed,
    steps,
    precision: format,
    ...(study.sameBackward ? { backward: format as NonNullable<ConfigurationInput['backward']> } : {}),
    optimizers: [entry],
    ...(distributed === undefined ? {} : { distributed: distributed as ConfigurationInput['distributed'] }),
    evaluation: {
      ...shared.evaluation,
      every: final === undefined ? steps : spread(steps, final.evaluations),
      test: split === 'test',
      ...(deploy.length === 0 ? {} : { formats: [...deploy] }),
      ...(final?.faults === undefined ? {} : { faults: final.faults }),
    },
    ...(Object.keys(measured).length > 0 ? { diagnostics: { ...measured, every: spread(steps, measures) } } : {}),
  };
}
