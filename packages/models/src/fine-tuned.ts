import type { Model, NamedTensors, Operations, Tensor } from '@lmd/core';
import type { ParameterSpecifications } from './block-parameters.js';
import { invalid } from './config-checks.js';
import { initializeParameters } from './initialization.js';
import { checkWeights } from './layers/parameters.js';
import { matchesWeight, type WeightMatch } from './weight-match.js';

/** A model whose weights are what fine-tuning trains, over a base that stays as it is. */
export interface FineTuned extends Model {
  /**
   * The weights of the whole model, with what was trained in its place, for inference or export: new handles, all of
   * them the caller's.
   */
  merge(ops: Operations, trained: NamedTensors): NamedTensors;
}

interface FineTunedParts {
  readonly name: string;
  readonly model: Model;
  readonly base: NamedTensors;
  /** Weights of the model that are trained themselves, from their values in the base. */
  readonly whole: readonly string[];
  /** Weights beside the model's own, such as adapters. */
  readonly added?: ParameterSpecifications;
  /** The weights of the model that the added ones change: new handles. */
  change?(ops: Operations, trained: NamedTensors): NamedTensors;
}

/** What every way of fine-tuning part of a model shares. */
export function fineTuned({ name, model, base, whole, added = {}, change }: FineTunedParts): FineTuned {
  checkWeights(base, model.parameters);
  const parameters = { ...added, ...Object.fromEntries(whole.map((weight) => [weight, model.parameters[weight]!])) };

  /** The base's own handles but where something is trained. */
  function effective(ops: Operations, trained: NamedTensors): NamedTensors {
    checkWeights(trained, parameters);
    const own = Object.fromEntries(whole.map((weight) => [weight, trained[weight]!]));
    return { ...base, ...change?.(ops, trained), ...own };
  }

  return {
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

/** The names of the weights of `model` that match. Refuses, naming them all, where none does. */
export function matchedWeights(owner: string, model: Model, which: WeightMatch, subject: string): string[] {
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
 * The model with only some of its weights trained: the others, of `base`, which stays the caller's and must live as
 * long as the model is used, are constants. They have no gradient and no state in the optimizer, which
 * `parameterGroups` with `frozen()` would give them.
 *
 * @throws LmdError `INVALID_ARGUMENT` where `train` matches none.
 */
export function partlyTrained(model: Model, base: NamedTensors, train: WeightMatch): FineTuned {
  const whole = matchedWeights('partlyTrained', model, train, 'train');
  return fineTuned({ name: `${model.name}+partly`, model, base, whole });
}
