import { parseConfiguration } from '../configuration/load.js';
import type { Configuration, ConfigurationInput } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import type { RecordedResult } from '../experiment/result.js';
import { samplePoints } from '../experiment/sample.js';
import { hashOf, type Options, type PlannedTrial, type TrialConfiguration } from '../experiment/trial.js';
import { type GivenRange, type Space, spaceOf } from './spaces.js';

/** What determines a search; stored beside its ledger. */
export interface SearchPlan {
  readonly configuration: Configuration;
  /** By the name of the optimizer. */
  readonly spaces: { readonly [optimizer: string]: Space };
  /** Number of trials of each optimizer. */
  readonly trials: number;
  /** Number of steps of each trial. */
  readonly steps: number;
}

export interface SearchOptions {
  readonly trials: number;
  /** Default: the steps of the configuration. */
  readonly steps?: number;
  readonly ranges: readonly GivenRange[];
}

/**
 * Plans a search.
 *
 * @throws UsageError for a range of an unknown optimizer, and a value at the end of a range that its optimizer refuses.
 */
export function planSearch(configuration: Configuration, { trials, steps, ranges }: SearchOptions): SearchPlan {
  const names = configuration.optimizers.map(({ name }) => name);
  const stray = ranges.find(({ optimizer }) => !names.includes(optimizer));
  if (stray !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `--range ${stray.optimizer}: there is no such optimizer.`, {
      subject: '--range',
      value: stray.optimizer,
      remedy: `Allowed: ${names.join(', ')}.`,
    });
  }
  const spaces = Object.fromEntries(
    configuration.optimizers.map((optimizer) => [optimizer.name, spaceOf(optimizer, ranges)]),
  );
  const plan = { configuration, spaces, trials, steps: steps ?? configuration.steps };
  checkEnds(plan);
  return plan;
}

/** Checks both ends of every range and every choice, so that no trial fails later. */
function checkEnds(plan: SearchPlan): void {
  for (const [index, { name }] of plan.configuration.optimizers.entries()) {
    for (const [option, { minimum, maximum, choices }] of Object.entries(plan.spaces[name]!)) {
      for (const value of choices ?? [minimum!, maximum!]) {
        const configuration = configurationOf(plan, index, { [option]: value });
        const origin = `--range ${name}.${option}`;
        parseConfiguration({ name: 'trial', ...configuration }, origin);
      }
    }
  }
}

/** The configuration of one trial: on validation data, evaluated once at the end. */
function configurationOf({ configuration, steps }: SearchPlan, index: number, options: Options): TrialConfiguration {
  const { name: _, $schema: __, samples: ___, earlyStopping: ____, diagnostics: _____, ...shared } = configuration;
  const { optimizers, evaluation, logging: ______, ...rest } = shared;
  const { schedule, ...optimizer } = optimizers[index]!;
  const warmup = Math.floor((schedule.warmup * steps) / configuration.steps);
  const entry = { ...optimizer, ...options, name: 'trial', schedule: { ...schedule, warmup } };
  return withoutUndefined({
    ...rest,
    steps,
    optimizers: [entry] as ConfigurationInput['optimizers'],
    evaluation: { ...evaluation, every: steps, test: false, formats: [] },
    logging: [],
  }) as TrialConfiguration;
}

/** A hash depends only on what is in a ledger, and JSON has no undefined. */
function withoutUndefined(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

/** The trials, alternating between the optimizers, so that an interrupted search has spent the same on each. */
export function searchTrials(plan: SearchPlan): PlannedTrial[] {
  const { configuration, spaces, trials, steps } = plan;
  const points = configuration.optimizers.map(({ name }) =>
    samplePoints(spaces[name]!, trials, configuration.seed, name),
  );
  return Array.from({ length: trials }, (_, index) =>
    configuration.optimizers.map(({ name }, position): PlannedTrial => {
      const options = points[position]![index]!;
      const own = configurationOf(plan, position, options);
      const label = `${name} #${index + 1}`;
      return { label, hash: hashOf(own), configuration: own, optimizer: name, options, steps, split: 'validation' };
    }),
  ).flat();
}

/** A trial with its result. */
export interface Found {
  readonly trial: PlannedTrial;
  readonly result: RecordedResult;
}

/** The trials of an optimizer by their validation loss, the lowest first; those that diverged last. */
export function rankedTrials(found: readonly Found[], optimizer: string): Found[] {
  const lossOf = ({ result }: Found) =>
    result.diverged ? Number.POSITIVE_INFINITY : (result.loss ?? Number.POSITIVE_INFINITY);
  return found
    .filter(({ trial }) => trial.optimizer === optimizer)
    .sort((a, b) => (lossOf(a) === lossOf(b) ? 0 : lossOf(a) - lossOf(b)));
}

/** The best trial of an optimizer; undefined if all diverged. */
export function winnerOf(found: readonly Found[], optimizer: string): Found | undefined {
  const [best] = rankedTrials(found, optimizer);
  return best === undefined || best.result.diverged || best.result.loss === null ? undefined : best;
}

/** The configuration with the best settings of each optimizer; one whose every trial diverged is left out. */
export function winningConfiguration(
  { configuration }: SearchPlan,
  found: readonly Found[],
): Configuration | undefined {
  const optimizers = configuration.optimizers.flatMap((optimizer) => {
    const winner = winnerOf(found, optimizer.name);
    return winner === undefined ? [] : [{ ...optimizer, ...winner.trial.options } as typeof optimizer];
  });
  return optimizers.length === 0 ? undefined : { ...configuration, optimizers };
}

/** The searched options whose best value lies in the outer tenth of their range: the optimum may be beyond. */
export function atTheEdge(plan: SearchPlan, found: readonly Found[]): string[] {
  return plan.configuration.optimizers.flatMap(({ name }) => {
    const winner = winnerOf(found, name);
    if (winner === undefined) return [];
    return Object.entries(plan.spaces[name]!).flatMap(([option, { minimum, maximum, scale, choices }]) => {
      const value = winner.trial.options[option];
      if (choices !== undefined || typeof value !== 'number' || minimum === maximum) return [];
      const on = (x: number) => (scale === 'log' ? Math.log(x) : x);
      const position = (on(value) - on(minimum!)) / (on(maximum!) - on(minimum!));
      return position < 0.1 || position > 0.9 ? [`${name}.${option} = ${value}`] : [];
    });
  });
}
