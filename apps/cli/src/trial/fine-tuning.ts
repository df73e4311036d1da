import { type Model, matchesGlob } from '@lmd/core';
import type { FineTuningConfiguration } from '../configuration/fine-tuning-schema.js';
import { UsageError } from '../errors.js';

/** The patterns of a configuration, resolved to names of weights. */
export interface FineTuningPlan {
  /** Matrices with adapters; undefined for the default (attention), and without adapters. */
  readonly targets?: ReadonlySet<string>;
  /** Fully trained weights: all of them if nothing is frozen. */
  readonly train: ReadonlySet<string>;
  /** Weights that are initialized from the seed. */
  readonly fresh: ReadonlySet<string>;
  /** Whether some weights, or all but the adapters, are frozen. */
  readonly freezes: boolean;
}

/**
 * Resolves each pattern to weights of `model`. Throws a `UsageError` for a pattern that matches none, and for fresh
 * weights that are frozen.
 */
export function planFineTuning(
  { lora, train, freeze, fresh }: FineTuningConfiguration,
  { name: modelName, parameters }: Model,
): FineTuningPlan {
  const names = Object.keys(parameters);
  const chosen = (key: string, patterns: readonly string[] = []): Set<string> =>
    new Set(
      patterns.flatMap((pattern) => {
        const found = names.filter((name) => matchesGlob(pattern, name));
        if (found.length > 0) return found;
        throw new UsageError(
          'INVALID_ARGUMENT',
          `fineTuning.${key} is ${pattern}, which matches no weight of ${modelName}.`,
          {
            subject: `fineTuning.${key}`,
            value: pattern,
            remedy: `Its weights are ${some(names)}.`,
          },
        );
      }),
    );
  const frozen = chosen('freeze', freeze);
  const freezes = lora !== undefined || train !== undefined || freeze !== undefined;
  const plan = {
    ...(lora?.targets === undefined ? {} : { targets: chosen('lora.targets', lora.targets) }),
    train: new Set(
      lora !== undefined || train !== undefined ? chosen('train', train) : names.filter((name) => !frozen.has(name)),
    ),
    fresh: chosen('fresh', fresh),
    freezes,
  };
  if (lora === undefined && plan.train.size === 0) {
    throw new UsageError('INVALID_ARGUMENT', `fineTuning.freeze leaves no weight of ${modelName} to train.`, {
      subject: 'fineTuning.freeze',
      value: freeze,
      remedy: 'Freeze fewer weights, or list the weights to train in fineTuning.train.',
    });
  }
  if (lora !== undefined) checkAdapters(lora.rank, plan.targets ?? [], parameters);
  for (const name of plan.fresh) {
    if (plan.train.has(name)) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `fineTuning.fresh names ${name}, which is not trained and would stay random.`,
      {
        subject: 'fineTuning.fresh',
        value: name,
        remedy: 'List it in fineTuning.train as well.',
      },
    );
  }
  return plan;
}

/** A sample of the names. */
function some(names: readonly string[]): string {
  const most = 20;
  return names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')}, … (${names.length}; see lmd inspect)`;
}

/** Checks early what `lora` of @lmd/models checks when the run has started. */
function checkAdapters(rank: number, targets: Iterable<string>, parameters: Model['parameters']): void {
  for (const name of targets) {
    const { shape } = parameters[name]!;
    if (shape.length !== 2) {
      throw new UsageError(
        'INVALID_ARGUMENT',
        `fineTuning.lora.targets names ${name} [${shape}], which is not a matrix.`,
        {
          subject: 'fineTuning.lora.targets',
          value: name,
          remedy: 'List only matrices.',
        },
      );
    }
    const most = Math.min(...shape);
    if (rank <= most) continue;
    throw new UsageError('INVALID_ARGUMENT', `fineTuning.lora.rank is ${rank}, but ${name} is [${shape}].`, {
      subject: 'fineTuning.lora.rank',
      value: rank,
      remedy: `Use ${most} or less, or other targets.`,
    });
  }
}
