import { type Model, matchesGlob } from '@lmd/core';
import type { FineTuningConfiguration } from '../configuration/fine-tuning-schema.js';
import { UsageError } from '../errors.js';

/** A configuration's patterns as the names of weights. */
export interface FineTuningPlan {
  /** Matrices with adapters; undefined for those of attention, and without adapters. */
  readonly targets?: ReadonlySet<string>;
  /** Weights that are trained whole. All of them where nothing is frozen. */
  readonly train: ReadonlySet<string>;
  /** Weights that begin from the seed. */
  readonly fresh: ReadonlySet<string>;
  /** Whether some weights, or all but adapters, stay as they are. */
  readonly freezes: boolean;
}

/**
 * Finds the weights of `model` that each pattern means. Throws a `UsageError` for a pattern that means none, and for
 * fresh weights that are frozen.
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
      remedy: 'Freeze fewer weights, or list in fineTuning.train those to train.',
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

/** Enough of the names to see how they are made. */
function some(names: readonly string[]): string {
  const most = 20;
  return names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')}, … (${names.length}; see lmd inspect)`;
}

/** What `lora` of @lmd/models would refuse once the run has begun. */
function checkAdapters(rank: number, targets: Iterable<string>, parameters: Model['parameters']): void {
  for (const name of targets) {
    const { shape } = parameters[name]!;
    if (shape.length !== 2) {
      throw new UsageError(
        'INVALID_ARGUMENT',
        `fineTuning.lora.targets names ${name} [${shape}], which is no matrix.`,
        {
          subject: 'fineTuning.lora.targets',
          value: name,
          remedy: 'List matrices only.',
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
