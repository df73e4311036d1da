import { checkOptimizer } from '../contracts.js';
import { describeValue as describe, LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import { refuseUnknownOptions } from '../options/unknown-option.js';
import { type NamedTensors, sizeOf, type Tensor } from '../tensor.js';
import { optimizerMarker } from './marker.js';
import type { DrawKey, Optimizer, OptimizerState, Pass, SignUpdate, StatePositions, WeightsKind } from './optimizer.js';
import { checkPasses, weightOf } from './state.js';

/** Decides by the weight's name and shape. */
export type WeightPredicate = (name: string, shape: readonly number[]) => boolean;

export interface ParameterGroup {
  /**
   * One weight's name, a pattern found anywhere in the name, a predicate, or `'*'` for all that no earlier group took.
   */
  readonly match: string | RegExp | WeightPredicate;
  readonly optimizer: Optimizer;
}

/**
 * Parameter groups: several optimizers for one set of weights. Each weight belongs to the first group that matches it.
 * A weight without a group and a group without a weight are errors that name them, since both are usually misspelt
 * patterns.
 *
 * Groups with more than one sample must have the same number. A group with one sample beside them, such as `adamw`
 * beside `lmd`, averages its gradients over all passes.
 *
 * The state is the union of the states of the groups, with the same names, so that moving a weight to another group
 * does not rename tensors. A predicate receives the shape of the weight; for a state, the shape of the largest vector
 * of the weight.
 */
export function parameterGroups(groups: readonly ParameterGroup[]): Optimizer {
  checkGroups(groups);
  const name = `parameterGroups(${groups.map(({ optimizer }) => optimizer.name).join(', ')})`;
  const samples = commonSamples(groups);

  function split(state: OptimizerState): OptimizerState[] {
    return partition(groups, weightShapes(state), state.tensors, weightOf).map((tensors) => ({
      step: state.step,
      tensors,
    }));
  }

  function collect(
    ops: EagerOperations,
    state: OptimizerState,
    weightsOf: (optimizer: Optimizer, part: OptimizerState) => NamedTensors,
  ): NamedTensors {
    return ops.scope(() => {
      const parts = split(state);
      return Object.assign({}, ...groups.map(({ optimizer }, index) => weightsOf(optimizer, parts[index]!)));
    });
  }

  /** The state and the passes of each group. */
  function divided(state: OptimizerState, passes: readonly Pass[]) {
    const shapes = weightShapes(state);
    checkPasses(name, samples, passes, [...shapes.keys()]);
    const parts = split(state);
    const gradients = passes.map((pass) => partition(groups, shapes, pass.gradients, (weight) => weight));
    return groups.map(({ optimizer }, index) => ({
      optimizer,
      part: parts[index]!,
      passes: passes.map(({ key }, pass) => ({ key, gradients: gradients[pass]![index]! })),
    }));
  }

  function eachGroup(
    ops: EagerOperations,
    state: OptimizerState,
    passes: readonly Pass[],
    update: (group: ReturnType<typeof divided>[number]) => OptimizerState,
  ): OptimizerState {
    return ops.scope(() => {
      const tensors: Record<string, Tensor> = {};
      for (const group of divided(state, passes)) {
        const next = update(group);
        checkStepCount(group.optimizer, state.step, next.step);
        Object.assign(tensors, next.tensors);
      }
      return { step: state.step + 1, tensors };
    });
  }

  /** Groups whose step is no sign have no directions, and follow the gradients of the passes. */
  const signs: SignUpdate = {
    directions: (ops, state, passes) =>
      ops.scope(() =>
        Object.assign(
          {},
          ...divided(state, passes).map(({ optimizer, part, passes }) =>
            optimizer.signs?.directions(ops, part, passes),
          ),
        ),
      ),
    update: (ops, state, passes, directions, done) =>
      eachGroup(ops, state, passes, ({ optimizer, part, passes }) =>
        optimizer.signs === undefined
          ? optimizer.update(ops, part, passes, done)
          : optimizer.signs.update(ops, part, passes, directions, done),
      ),
  };

  const positions: StatePositions = {
    read: (ops, state) => collect(ops, state, (optimizer, part) => optimizer.positions!.read(ops, part)),
    write: (ops, state, given) => ({
      step: state.step,
      tensors: collect(ops, state, (optimizer, part) => optimizer.positions!.write(ops, part, given).tensors),
    }),
  };

  return {
    ...optimizerMarker,
    name,
    samples,

    async init(ops, weights) {
      const shapes = new Map(Object.entries(weights).map(([weight, { shape }]) => [weight, shape]));
      const parts = partition(groups, shapes, weights, (weight) => weight);
      const tensors: Record<string, Tensor> = {};
      try {
        for (const [index, { optimizer }] of groups.entries()) {
          Object.assign(tensors, (await optimizer.init(ops, parts[index]!)).tensors);
        }
      } catch (error) {
        ops.dispose(tensors);
        throw error;
      }
      return { step: 0, tensors };
    },

    draw: (ops, state, key: DrawKey) => collect(ops, state, (optimizer, part) => optimizer.draw(ops, part, key)),

    weights: (ops, state, kind?: WeightsKind, key?: DrawKey) =>
      collect(ops, state, (optimizer, part) => optimizer.weights(ops, part, kind, key)),

    update: (ops, state, passes, done) =>
      eachGroup(ops, state, passes, ({ optimizer, part, passes }) => optimizer.update(ops, part, passes, done)),

    ...(groups.some(({ optimizer }) => optimizer.signs !== undefined) ? { signs } : {}),
    ...(groups.every(({ optimizer }) => optimizer.positions !== undefined) ? { positions } : {}),
  };
}

/** The tensors of each group, by the weight that each belongs to. */
function partition(
  groups: readonly ParameterGroup[],
  shapes: ReadonlyMap<string, readonly number[]>,
  tensors: NamedTensors,
  weightNameOf: (name: string) => string,
): NamedTensors[] {
  const groupOf = new Map<string, number>();
  for (const [weight, shape] of shapes) {
    const index = groups.findIndex(({ match }) => matches(match, weight, shape));
    if (index < 0) {
      throw new LmdError('INVALID_ARGUMENT', `parameterGroups: no group matches the weight "${weight}" [${shape}].`, {
        subject: weight,
        remedy: "Add a group for it, or a last group with match: '*'.",
      });
    }
    groupOf.set(weight, index);
  }
  const used = new Set(groupOf.values());
  for (const [index, { match, optimizer }] of groups.entries()) {
    if (used.has(index)) continue;
    throw new LmdError(
      'INVALID_ARGUMENT',
      `parameterGroups: group ${index} (${describeMatch(match)}, ${optimizer.name}) matches no weight.`,
      {
        subject: describeMatch(match),
        value: match,
        remedy: `Correct the pattern, move the group before the one that matches its weights, or remove it. The weights are: ${[...shapes.keys()].join(', ')}.`,
      },
    );
  }
  const parts: Record<string, Tensor>[] = groups.map(() => ({}));
  for (const [name, tensor] of Object.entries(tensors)) parts[groupOf.get(weightNameOf(name))!]![name] = tensor;
  return parts;
}

function matches(match: ParameterGroup['match'], name: string, shape: readonly number[]): boolean {
  if (typeof match === 'function') return match(name, shape);
  if (typeof match === 'string') return match === '*' || match === name;
  // A global or sticky pattern remembers where it stopped; the answer must not depend on what was asked before.
  match.lastIndex = 0;
  return match.test(name);
}

function weightShapes(state: OptimizerState): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of Object.entries(state.tensors)) {
    const weight = weightOf(name);
    const known = shapes.get(weight);
    if (known === undefined || sizeOf(shape) > sizeOf(known) || shape.length > known.length) shapes.set(weight, shape);
  }
  return shapes;
}

function commonSamples(groups: readonly ParameterGroup[]): number {
  let samples = 1;
  for (const { optimizer } of groups) {
    if (samples > 1 && optimizer.samples > 1 && optimizer.samples !== samples) {
      throw new LmdError(
        'INVALID_ARGUMENT',
        `parameterGroups: one group uses ${samples} samples per step and ${optimizer.name} uses ${optimizer.samples}.`,
        {
          subject: 'samples',
          value: optimizer.samples,
          remedy: 'Use the same number of samples in all groups.',
        },
      );
    }
    samples = Math.max(samples, optimizer.samples);
  }
  return samples;
}

function checkGroups(groups: readonly ParameterGroup[]): void {
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', `parameterGroups: the groups are ${describe(groups)} without a group.`, {
      subject: 'groups',
      value: groups,
      remedy: "Pass at least one: [{ match: '*', optimizer: lmd() }].",
    });
  }
  for (const [index, group] of groups.entries()) {
    refuseUnknownOptions(`parameterGroups[${index}]`, group, ['match', 'optimizer']);
    const { match, optimizer } = group as ParameterGroup;
    if (typeof match !== 'string' && typeof match !== 'function' && !(match instanceof RegExp)) {
      throw new LmdError('INVALID_ARGUMENT', `parameterGroups: match of group ${index} is ${describe(match)}.`, {
        subject: 'match',
        value: match,
        remedy: "Pass a weight's name, a regular expression, a function of name and shape, or '*'.",
      });
    }
    checkOptimizer(optimizer, { subject: `parameterGroups: optimizer of group ${index}` });
  }
}

function checkStepCount(optimizer: Optimizer, before: number, after: number): void {
  if (after === before + 1) return;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `parameterGroups: ${optimizer.name} counted from step ${before} to ${after}.`,
    {
      subject: optimizer.name,
      value: after,
      remedy: 'update must return the state with step increased by 1.',
    },
  );
}

function describeMatch(match: ParameterGroup['match']): string {
  return typeof match === 'function' ? `function ${match.name || 'without a name'}` : String(match);
}
