import { hashOf, type Options, type Results, samplePoints } from '@lmd/cli/experiment';
import { formatsOf, type PartName, type Study, type StudyOptimizer } from '../study/schema.js';
import { type Changes, configurationOf } from './configuration.js';
import type { Trial } from './trial.js';

/** The hyperparameters of an optimizer after its search. */
export interface Winner {
  readonly optimizer: string;
  readonly options: Options;
  readonly hash: string;
  readonly loss: number;
  readonly accuracy: number;
}

/** `waiting`: its search is not complete. `none`: all its trials diverged. */
export type WinnerState = Winner | 'waiting' | 'none';

function trial(part: PartName, study: Study, optimizer: StudyOptimizer, changes: Changes): Trial {
  const { format, seed, steps, split, options, variant = '' } = changes;
  const configuration = configurationOf(study, optimizer, changes);
  const middle = variant === '' ? '' : ` ${variant}`;
  const label = `${part} ${optimizer.name}${middle} ${format} seed ${seed}`;
  const set = { ...optimizer.options, ...options };
  const { name } = optimizer;
  const hash = hashOf(configuration);
  return { part, optimizer: name, variant, label, configuration, options: set, format, seed, steps, split, hash };
}

/** The points of all rounds. Those of the first do not depend on the number of rounds, so its trials stay valid. */
function searchPoints({ search: { trials, rounds, seed } }: Study, { name, search }: StudyOptimizer): Options[] {
  return Array.from({ length: rounds }, (_, round) =>
    samplePoints(search, trials, seed, round === 0 ? name : `${name}/round ${round + 1}`),
  ).flat();
}

/** The trials of the search: the same number for every optimizer, evaluated on validation data. */
export function searchTrials(study: Study): Trial[] {
  const { steps, seed } = study.search;
  const points = study.optimizers.map((optimizer) => searchPoints(study, optimizer));
  // Alternates between optimizers, so that an interrupted search has spent the same on each.
  return points[0]!.flatMap((_, index) =>
    study.optimizers.map((optimizer, position) =>
      trial('search', study, optimizer, {
        variant: `#${index + 1}`,
        options: points[position]![index]!,
        format: study.search.format ?? formatsOf(study, optimizer)[0]!,
        steps,
        seed,
        split: 'validation',
      }),
    ),
  );
}

/** The point of each optimizer's space with the lowest validation loss. */
export function winners(study: Study, results: Results): Map<string, WinnerState> {
  const all = searchTrials(study);
  return new Map(
    study.optimizers.map(({ name }): [string, WinnerState] => {
      const own = all.filter(({ optimizer }) => optimizer === name);
      if (!own.every(({ hash }) => results.has(hash))) return [name, 'waiting'];
      const ranked = own
        .map((candidate) => ({ candidate, result: results.get(candidate.hash)! }))
        .filter(({ result }) => !result.diverged && result.loss !== null)
        .sort((a, b) => a.result.loss! - b.result.loss!);
      const best = ranked[0];
      if (best === undefined) return [name, 'none'];
      const { hash, options } = best.candidate;
      return [name, { optimizer: name, hash, options, loss: best.result.loss!, accuracy: best.result.accuracy! }];
    }),
  );
}

/**
 * The options of an optimizer after the search: its winner's, or a placeholder for counting and timing until the search
 * is complete.
 */
type OptionsOf = (optimizer: StudyOptimizer) => Options | undefined;

/** The optimizers whose options are known, with their options. */
function chosen(study: Study, optionsOf: OptionsOf): { optimizer: StudyOptimizer; options: Options }[] {
  return study.optimizers.flatMap((optimizer) => {
    const options = optionsOf(optimizer);
    return options === undefined ? [] : [{ optimizer, options }];
  });
}

function finalTrials(study: Study, optionsOf: OptionsOf, seeds: readonly number[]): Trial[] {
  const { final, formats } = study;
  const all = [...new Set([...formats, ...study.optimizers.flatMap((optimizer) => formatsOf(study, optimizer))])];
  const deployed = (format: string, own: readonly string[]) =>
    final.deploy?.filter((other) => other !== format) ?? (format === own[0] ? own.slice(1) : []);
  return seeds.flatMap((seed) =>
    all.flatMap((format) =>
      chosen(study, optionsOf).flatMap(({ optimizer, options }) => {
        const own = formatsOf(study, optimizer);
        if (!own.includes(format)) return [];
        const deploy = deployed(format, own);
        return [
          trial('final', study, optimizer, {
            ...{ options, format, steps: final.steps, seed, split: 'test', final, measures: final.measures, deploy },
          }),
        ];
      }),
    ),
  );
}

function scaled(options: Options, factors: { readonly [option: string]: number }): Options {
  const products = Object.entries(factors).map(([name, factor]) => [
    name,
    // Rounded to six digits, so that equal factors give the same trial however they were computed.
    Number((Number(options[name]) * factor).toPrecision(6)),
  ]);
  return { ...options, ...Object.fromEntries(products) };
}

function sweepTrials(study: Study, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { sweep } = study;
  if (sweep === undefined) return [];
  const { steps, seeds, factors } = sweep;
  return (only ?? seeds).flatMap((seed) =>
    study.formats.flatMap((format) =>
      chosen(study, optionsOf)
        .filter(({ optimizer }) => formatsOf(study, optimizer).includes(format))
        .flatMap(({ optimizer, options }) =>
          factors.map((factor) => {
            const own = scaled(options, { learningRate: factor });
            const variant = `×${factor}`;
            return trial('sweep', study, optimizer, {
              variant,
              options: own,
              format,
              steps,
              seed,
              split: 'validation',
            });
          }),
        ),
    ),
  );
}

function ablationTrials(study: Study, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { ablation } = study;
  if (ablation === undefined) return [];
  const optimizer = study.optimizers.find(({ name }) => name === ablation.optimizer)!;
  const options = optionsOf(optimizer);
  if (options === undefined) return [];
  const { steps, seeds, formats } = ablation;
  const variants = [{ name: 'unchanged', options: {}, factors: {} }, ...ablation.variants];
  return (only ?? seeds).flatMap((seed) =>
    variants.flatMap((variant) =>
      formats.map((format) => {
        const own = scaled({ ...options, ...variant.options }, variant.factors);
        const changes = { options: own, format, steps, seed, split: 'validation' } as const;
        return trial('ablation', study, optimizer, { variant: variant.name, ...changes });
      }),
    ),
  );
}

type Governing = Partial<NonNullable<Study['governs']>['variants'][number]> & { readonly name: string };

function governsTrials(study: Study, optionsOf: OptionsOf, only?: readonly number[]): Trial[] {
  const { governs } = study;
  if (governs === undefined) return [];
  const variants: readonly Governing[] = [{ name: 'unchanged' }, ...governs.variants];
  const compared = chosen(study, optionsOf);
  return (only ?? governs.seeds).flatMap((seed) =>
    variants.flatMap((variant) =>
      governs.optimizers.flatMap((name) => {
        const found = compared.find(({ optimizer }) => optimizer.name === name);
        if (found === undefined || variant.optimizers?.includes(name) === false) return [];
        const { optimizer } = found;
        const replaced = { ...found.options, ...variant.options?.[name] };
        const options = scaled(replaced, { learningRate: variant.learningRateFactor ?? 1 });
        const steps = variant.steps ?? governs.steps;
        const { model, data } = variant;
        return governs.formats.map((format) => {
          const { measures } = governs;
          const changes = { model, data, options, format, steps, seed, split: 'validation', measures } as const;
          return trial('governs', study, optimizer, { variant: variant.name, ...changes });
        });
      }),
    ),
  );
}

/** The trials of a part, or of some of its seeds. Those of parts after the search follow from its winners. */
export function trialsOf(study: Study, part: PartName, optionsOf: OptionsOf, seeds?: readonly number[]): Trial[] {
  switch (part) {
    case 'search':
      return searchTrials(study);
    case 'final':
      return finalTrials(study, optionsOf, seeds ?? study.final.seeds);
    case 'sweep':
      return sweepTrials(study, optionsOf, seeds);
    case 'ablation':
      return ablationTrials(study, optionsOf, seeds);
    case 'governs':
      return governsTrials(study, optionsOf, seeds);
  }
}

/** Options from the winners; undefined for an optimizer whose search is not complete or has no winner. */
export function winningOptions(found: ReadonlyMap<string, WinnerState>): OptionsOf {
  return ({ name }) => {
    const winner = found.get(name);
    return typeof winner === 'object' ? winner.options : undefined;
  };
}

/** The first point of each optimizer's space, as a placeholder for counting and timing. */
export function standInOptions(study: Study): OptionsOf {
  return ({ search, name }) => samplePoints(search, 1, study.search.seed, name)[0]!;
}
