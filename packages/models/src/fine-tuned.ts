import { checkModel, type Model, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import type { ParameterSpecifications } from './block-parameters.js';
import { invalid } from './config-checks.js';
import { initializeParameters } from './initialization.js';
import { checkWeights } from './layers/parameters.js';
import { modelMarker } from './made-by.js';
import { matchesWeight, type WeightMatch } from './weight-match.js';

/** A model whose weights are those trained in fine-tuning, on a frozen base. */
export interface FineTuned extends Model {
  /**
   * The weights of the whole model, including the trained ones, for inference or export. Returns new handles, owned by
   * the caller.
   */
  merge(ops: Operations, trained: NamedTensors): NamedTensors;
}

interface FineTunedParts {
  readonly name: string;
  readonly model: Model;
  readonly base: NamedTensors;
  /** Weights of the base model that are trained, starting from their values. */
  readonly whole: readonly string[];
  /** Additional weights, such as adapters. */
  readonly added?: ParameterSpecifications;
  /** The weights of the model that the additional ones modify, as new handles. */
  change?(ops: Operations, trained: NamedTensors): NamedTensors;
}

/** The common part of all methods of fine-tuning. */
export function fineTuned({ name, model, base, whole, added = {}, change }: FineTunedParts): FineTuned {
  checkWeights(base, model.parameters);
  const parameters = { ...added, ...Object.fromEntries(whole.map((weight) => [weight, model.parameters[weight]!])) };

  /** The handles of the base, except for trained weights. */
  function effective(ops: Operations, trained: NamedTensors): NamedTensors {
    checkWeights(trained, parameters);
    const own = Object.fromEntries(whole.map((weight) => [weight, trained[weight]!]));
    return { ...base, ...change?.(ops, trained), ...own };
  }

  return {
    ...modelMarker,
    name,
    parameters,
    ...(model.vocabularySize === undefined ? {} : { vocabularySize: model.vocabularySize }),
    initialize: (ops, seed) => ({
      ...initializeParameters(ops, added, seed),
      ...Object.fromEntries(whole.map((weight) => [weight, copy(ops, base[weight]!)])),
    }),
    forward: (ops, trained, inputs, context) =>
      ops.scope(() => model.forward(ops, effective(ops, trained), inputs, context)),
    merge: (ops, trained) =>
      ops.scope(() => {
        const given = new Set([...Object.values(base), ...Object.values(trained)]);
        return Object.fromEntries(
          Object.entries(effective(ops, trained)).map(([weight, x]) => [weight, given.has(x) ? copy(ops, x) : x]),
        );
      }),
  };
}

const copy = (ops: Operations, x: Tensor): Tensor => ops.reshape(x, x.shape);

/** The names of the weights of `model` that match. Throws an error that lists all names if none matches. */
export function matchedWeights(owner: string, model: Model, which: WeightMatch, subject: string): string[] {
  checkModel(model, { subject: `${owner}: model`, receiver: modelMarker.madeBy });
  const names = Object.entries(model.parameters)
    .filter(([name, { shape }]) => matchesWeight(which, name, shape))
    .map(([name]) => name);
  if (names.length > 0) return names;
  throw invalid(
    owner,
    subject,
    which,
    `It matches no weight of ${model.name}, which has ${Object.keys(model.parameters).join(', ')}.`,
  );
}

/**
 * The model with only some of its weights trained. The others, those of `base`, are constants without gradients or
 * optimizer state (unlike with `parameterGroups` and `frozen()`). The caller owns `base` and must not free it while the
 * model is used.
 *
 * @throws LmdError `INVALID_ARGUMENT` if `train` matches no weight.
 */
export function partlyTrained(model: Model, base: NamedTensors, train: WeightMatch): FineTuned {
  const whole = matchedWeights('partlyTrained', model, train, 'train');
  return fineTuned({ name: `${model.name}+partly`, model, base, whole });
}
