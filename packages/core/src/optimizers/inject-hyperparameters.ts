import { checkOptimizer } from '../contracts.js';
import { describeValue as describe, LmdError } from '../errors.js';
import { numberOption } from '../options/checks.js';
import type { Schedule } from '../options/schedule.js';
import { optimizerMarker } from './marker.js';
import type { Optimizer, OptimizerState } from './optimizer.js';

/**
 * Lets any numeric options of any optimizer follow schedules, as the learning rate does:
 *
 *     injectHyperparameters(({ noise, regularization }) => lmd({ noise, regularization }), {
 *       noise: schedules.linear({ from: 0.1, to: 0.01, steps: 1000 }),
 *       regularization: 0.5,
 *     })
 *
 * At each step, the optimizer is created with the values of that step, which the state counts from 0, so that a run
 * resumes with the same values; the samples and the update of one step share them. It has no state of its own, like
 * `inject_hyperparams` of optax.
 *
 * `makeOptimizer` must be pure, and its results may only differ in numbers: a different name or number of samples is an
 * error. The initial state is created with the values of step 0, so that values used by `init`, such as the floor of
 * `lmd`, remain those of step 0.
 *
 * @throws LmdError `INVALID_ARGUMENT` naming the hyperparameter and the step, if a value is not a finite number or the
 *   optimizer does not accept it; for step 0, immediately.
 */
export function injectHyperparameters<Name extends string>(
  makeOptimizer: (hyperparameters: { readonly [name in Name]: number }) => Optimizer,
  hyperparameters: { readonly [name in Name]: number | Schedule },
): Optimizer {
  const owner = 'injectHyperparameters';
  if (typeof makeOptimizer !== 'function') {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: makeOptimizer is ${describe(makeOptimizer)}.`, {
      subject: 'makeOptimizer',
      value: makeOptimizer,
      remedy: 'Pass a function that creates an optimizer from the values: ({ noise }) => lmd({ noise }).',
    });
  }
  if (typeof hyperparameters !== 'object' || hyperparameters === null || Array.isArray(hyperparameters)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the hyper-parameters are ${describe(hyperparameters)}.`, {
      subject: 'hyperparameters',
      value: hyperparameters,
      remedy: 'Pass a record of numbers or schedules by name.',
    });
  }
  const entries = Object.entries<unknown>(hyperparameters);

  function make(step: number): Optimizer {
    const values: Record<string, number> = {};
    for (const [name, value] of entries) {
      values[name] =
        typeof value === 'function'
          ? numberOption(owner, `${name}(${step})`, value(step) ?? Number.NaN, {})
          : numberOption(owner, name, value ?? Number.NaN, {});
    }
    return makeOptimizer(values as { readonly [name in Name]: number });
  }

  const first = make(0);
  checkOptimizer(first, { subject: `${owner}: the result of makeOptimizer` });

  function at({ step }: OptimizerState): Optimizer {
    const optimizer = make(step);
    for (const property of ['name', 'samples'] as const) {
      if (optimizer[property] === first[property]) continue;
      throw new LmdError(
        'INVALID_ARGUMENT',
        `${owner}: ${property} is ${describe(optimizer[property])} at step ${step} and was ${describe(first[property])} at step 0.`,
        {
          subject: property,
          value: optimizer[property],
          remedy: 'Only numbers inside one optimizer may follow a schedule.',
        },
      );
    }
    return optimizer;
  }

  return {
    ...optimizerMarker,
    name: first.name,
    samples: first.samples,
    init: (ops, weights) => first.init(ops, weights),
    draw: (ops, state, key) => at(state).draw(ops, state, key),
    update: (ops, state, passes, done) => at(state).update(ops, state, passes, done),
    weights: (ops, state, kind, key) => at(state).weights(ops, state, kind, key),
    ...(first.positions === undefined
      ? {}
      : {
          positions: {
            read: (ops, state) => at(state).positions!.read(ops, state),
            write: (ops, state, positions) => at(state).positions!.write(ops, state, positions),
          },
        }),
    ...(first.signs === undefined
      ? {}
      : {
          signs: {
            directions: (ops, state, passes) => at(state).signs!.directions(ops, state, passes),
            update: (ops, state, passes, directions, done) =>
              at(state).signs!.update(ops, state, passes, directions, done),
          },
        }),
  };
}
