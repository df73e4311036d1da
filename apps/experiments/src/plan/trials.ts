import { type RuleName, type RuleOptions, rules } from '../study/rules.js';
import type { ModelSizes, PartName, Study, StudyRule } from '../study/schema.js';
import { hashOf, type TrialConfig, type TrialData } from '../trial/config.js';
import type { TrialResult } from '../trial/result.js';
import { samplePoints } from './sample.js';

/** One trial of a study: what runs, and what for. */
export interface Trial {
  readonly part: PartName;
  /** For people: `final lmd mxfp4_e2m1 seed 0`. */
  readonly label: string;
  readonly hash: string;
  readonly config: TrialConfig;
  /** The rule's name in the study. */
  readonly rule: string;
  /** The variant of an ablation, the factor of a sweep, the number of a search's point. */
  readonly variant: string;
}

/** What the ledger knows of a trial, by the hash of its configuration. */
export type Results = ReadonlyMap<string, TrialResult>;

/** A rule's hyper-parameters after its search. */
export interface Winner {
  readonly rule: string;
  readonly options: RuleOptions;
  readonly hash: string;
  readonly loss: number;
  readonly accuracy: number;
}

/** `waiting`: its search is not complete. `none`: every trial of it diverged. */
export type WinnerState = Winner | 'waiting' | 'none';

interface Changes {
  readonly model?: ModelSizes;
  readonly options: RuleOptions;
  readonly format: string;
  readonly steps: number;
  readonly seed: number;
  readonly split: 'validation' | 'test';
  readonly final?: Study['final'];
  readonly deploy?: readonly string[];
}

function configOf(study: Study, data: TrialData, rule: StudyRule, changes: Changes): TrialConfig {
  const { options, format, steps, seed, split, final, deploy = [], model = study.model } = changes;
  const measures = final?.measures ?? 0;
  return {
    backend: study.backend,
    data,
    model,
    rule: rule.rule,
    options: { ...rule.options, ...options },
    ...(rule.clipNorm === undefined ? {} : { clipNorm: rule.clipNorm }),
    ...(rules[rule.rule as RuleName].matricesOnly ? { rest: study.rest } : {}),
    format,
    steps,
    warmup: Math.floor(study.warmup * steps),
    batchSize: study.batchSize,
    seed,
    split,
    evaluationBatchSize: study.evaluationBatchSize,
    ...(final === undefined ? {} : { evaluateEvery: Math.max(1, Math.floor(steps / final.evaluations)) }),
    measureAt: [
      ...new Set(Array.from({ length: measures }, (_, i) => Math.max(1, Math.round((steps * (i + 1)) / measures)))),
    ],
    measuredExamples: measures === 0 ? 0 : final!.measuredExamples,
    deploy,
  };
}

function trial(part: PartName, rule: string, variant: string, config: TrialConfig): Trial {
  const middle = variant === '' ? '' : ` ${variant}`;
  const label = `${part} ${rule}${middle} ${config.format} seed ${config.seed}`;
  return { part, rule, variant, label, config, hash: hashOf(config) };
}

/** The trials of the search: as many for every rule, on validation data. */
export function searchTrials(study: Study, data: TrialData): Trial[] {
  const { trials, steps, seed, format } = study.search;
  const points = study.rules.map((rule) => samplePoints(rule.search, trials, seed, rule.name));
  // Point by point over all rules, so that an interrupted search has spent as much on each.
  return Array.from({ length: trials }, (_, index) =>
    study.rules.map((rule, position) =>
      trial(
        'search',
        rule.name,
        `#${index + 1}`,
        configOf(study, data, rule, {
          options: points[position]![index]!,
          format,
          steps,
          seed,
          split: 'validation',
        }),
      ),
    ),
  ).flat();
}

/** The point of each rule's space with the least validation loss. */
export function winners(study: Study, data: TrialData, results: Results): Map<string, WinnerState> {
  const all = searchTrials(study, data);
  return new Map(
    study.rules.map(({ name }): [string, WinnerState] => {
      const own = all.filter(({ rule }) => rule === name);
      if (!own.every(({ hash }) => results.has(hash))) return [name, 'waiting'];
      const ranked = own
        .map((candidate) => ({ candidate, result: results.get(candidate.hash)! }))
        .filter(({ result }) => !result.diverged && result.loss !== null)
        .sort((a, b) => a.result.loss! - b.result.loss!);
      const best = ranked[0];
      if (best === undefined) return [name, 'none'];
      const { hash, config } = best.candidate;
      return [
        name,
        { rule: name, hash, options: config.options, loss: best.result.loss!, accuracy: best.result.accuracy! },
      ];
    }),
  );
}

/** The options that a rule goes on with: its winner's, or, while that is open, a stand-in for counting and timing. */
type OptionsOf = (rule: StudyRule) => RuleOptions | undefined;

function finalTrials(study: Study, data: TrialData, optionsOf: OptionsOf, seeds: readonly number[]): Trial[] {
  const { final, formats } = study;
  return seeds.flatMap((seed) =>
    formats.flatMap((format, position) =>
      study.rules.flatMap((rule) => {
        const options = optionsOf(rule);
        if (options === undefined) return [];
        const deploy = position === 0 ? formats.slice(1) : [];
        return [
          trial(
            'final',
            rule.name,
            '',
            configOf(study, data, rule, {
              options,
              format,
              steps: final.steps,
              seed,
              split: 'test',
              final,
              deploy,
            }),
          ),
        ];
      }),
    ),
  );
}

function scaled(options: RuleOptions, factors: { readonly [option: string]: number }): RuleOptions {
  const products = Object.entries(factors).map(([name, factor]) => [
    name,
    // Six digits, so that the same number stands for the same trial whatever way it was computed.
    Number((Number(options[name]) * factor).toPrecision(6)),
  ]);
  return { ...options, ...Object.fromEntries(products) };
}

function sweepTrials(study: Study, data: TrialData, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { sweep } = study;
  if (sweep === undefined) return [];
  return (only ?? sweep.seeds).flatMap((seed) =>
    study.formats.flatMap((format) =>
      study.rules.flatMap((rule) => {
        const options = optionsOf(rule);
        if (options === undefined) return [];
        return sweep.factors.map((factor) =>
          trial(
            'sweep',
            rule.name,
            `×${factor}`,
            configOf(study, data, rule, {
              options: scaled(options, { learningRate: factor }),
              format,
              steps: sweep.steps,
              seed,
              split: 'validation',
            }),
          ),
        );
      }),
    ),
  );
}

function ablationTrials(study: Study, data: TrialData, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { ablation } = study;
  if (ablation === undefined) return [];
  const rule = study.rules.find(({ name }) => name === ablation.rule)!;
  const options = optionsOf(rule);
  if (options === undefined) return [];
  const variants = [{ name: 'as it is', options: {}, factors: {} }, ...ablation.variants];
  return (only ?? ablation.seeds).flatMap((seed) =>
    variants.flatMap((variant) =>
      ablation.formats.map((format) =>
        trial(
          'ablation',
          rule.name,
          variant.name,
          configOf(study, data, rule, {
            options: scaled({ ...options, ...variant.options }, variant.factors),
            format,
            steps: ablation.steps,
            seed,
            split: 'validation',
          }),
        ),
      ),
    ),
  );
}

function governsTrials(study: Study, data: TrialData, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { governs } = study;
  if (governs === undefined) return [];
  const base = { name: 'as it is', learningRateFactor: 1, options: {} as Record<string, RuleOptions> };
  const variants: readonly (NonNullable<Study['governs']>['variants'][number] | typeof base)[] = [
    base,
    ...governs.variants,
  ];
  return (only ?? governs.seeds).flatMap((seed) =>
    variants.flatMap((variant) =>
      governs.rules.flatMap((name) => {
        if ('rules' in variant && variant.rules !== undefined && !variant.rules.includes(name)) return [];
        const rule = study.rules.find((candidate) => candidate.name === name)!;
        const options = optionsOf(rule);
        if (options === undefined) return [];
        const model = 'model' in variant ? ({ ...study.model, ...variant.model } as ModelSizes) : study.model;
        const steps = ('steps' in variant ? variant.steps : undefined) ?? governs.steps;
        return governs.formats.map((format) =>
          trial(
            'governs',
            name,
            variant.name,
            configOf(study, data, rule, {
              model,
              options: scaled({ ...options, ...variant.options[name] }, { learningRate: variant.learningRateFactor }),
              format,
              steps,
              seed,
              split: 'validation',
            }),
          ),
        );
      }),
    ),
  );
}

/** The trials of a part, or of some of its seeds. Those of parts after the search follow from its winners. */
export function trialsOf(
  study: Study,
  data: TrialData,
  part: PartName,
  optionsOf: OptionsOf,
  seeds?: readonly number[],
): Trial[] {
  switch (part) {
    case 'search':
      return searchTrials(study, data);
    case 'final':
      return finalTrials(study, data, optionsOf, seeds ?? study.final.seeds);
    case 'sweep':
      return sweepTrials(study, data, optionsOf, seeds);
    case 'ablation':
      return ablationTrials(study, data, optionsOf, seeds);
    case 'governs':
      return governsTrials(study, data, optionsOf, seeds);
  }
}

/** Options from the winners; undefined for a rule whose search is open or found nothing. */
export function winningOptions(found: ReadonlyMap<string, WinnerState>): OptionsOf {
  return ({ name }) => {
    const winner = found.get(name);
    return typeof winner === 'object' ? winner.options : undefined;
  };
}

/** The first point of each rule's space, to count and time what cannot be planned yet. */
export function standInOptions(study: Study): OptionsOf {
  return (rule) => samplePoints(rule.search, 1, study.search.seed, rule.name)[0]!;
}
