// @ts-check
import { LmdError, option, resolveOptions } from '@lmd/core';

/** The options of `create`, which `lmd` checks against this table. */
export const optionTable = {
  learningRate: option.schedule({ atLeast: 0, default: 0.01, describe: 'Size of each step: a number or a schedule.' }),
  momentum: option.number({ atLeast: 0, below: 1, default: 0.9, describe: 'Decay rate of the velocity.' }),
};

/**
 * @typedef {import('@lmd/core').EagerOperations} Operations
 * @typedef {import('@lmd/core').Tensor} Tensor
 * @typedef {import('@lmd/core').OptimizerState} State
 */

/** Tensors of the state, by the name of the weight. */
const velocityOf = (/** @type {string} */ weight) => `${weight}/velocity`;
const weightOf = (/** @type {string} */ weight) => `${weight}/weight`;

/** @param {State} state */
const weightsOf = ({ tensors }) =>
  Object.keys(tensors)
    .filter((name) => name.endsWith('/weight'))
    .map((name) => name.slice(0, -'/weight'.length));

/**
 * @param {Readonly<Record<string, Tensor>>} tensors
 * @param {string} name
 */
function tensorOf(tensors, name) {
  const tensor = tensors[name];
  if (tensor !== undefined) return tensor;
  throw new LmdError('INVALID_ARGUMENT', `There is no tensor "${name}".`, { subject: name });
}

/**
 * The gradients of the one pass of a step, checked against the weights.
 *
 * @param {readonly import('@lmd/core').Pass[]} passes
 * @param {Readonly<Record<string, Tensor>>} weights
 */
function gradientsOf(passes, weights) {
  const [pass, ...more] = passes;
  if (pass === undefined || more.length > 0) {
    throw new LmdError('INVALID_ARGUMENT', `update got ${passes.length} passes.`, { remedy: 'Pass one.' });
  }
  const { gradients } = pass;
  for (const name of Object.keys({ ...weights, ...gradients })) {
    const [weight, gradient] = [weights[name], gradients[name]];
    if (weight === undefined || gradient === undefined) {
      const missing = weight === undefined ? 'weight' : 'gradient';
      throw new LmdError('INVALID_ARGUMENT', `There is no ${missing} "${name}".`, { subject: name });
    }
    if (gradient.dtype !== 'f32') {
      throw new LmdError('DTYPE_MISMATCH', `The gradient of "${name}" is ${gradient.dtype}.`, { subject: name });
    }
    if (gradient.shape.join() !== weight.shape.join()) {
      const message = `The gradient of "${name}" has shape [${gradient.shape}], not [${weight.shape}].`;
      throw new LmdError('SHAPE_MISMATCH', message, { subject: name });
    }
  }
  return gradients;
}

/**
 * Gradient descent with momentum: v ← momentum·v + g; w ← w − learningRate·v.
 *
 * @param {import('@lmd/core').OptionsOf<typeof optionTable>} [options]
 * @returns {import('@lmd/core').Optimizer}
 */
export function create(options = {}) {
  const { learningRate, momentum } = resolveOptions('myOptimizer', optionTable, options);

  /**
   * The stored weights, as new handles: an optimizer without a posterior draws what it evaluates.
   *
   * @param {Operations} ops
   * @param {State} state
   */
  const stored = (ops, state) =>
    ops.scope(() => {
      /** @type {Record<string, Tensor>} */
      const weights = {};
      for (const weight of weightsOf(state)) {
        const value = tensorOf(state.tensors, weightOf(weight));
        weights[weight] = ops.reshape(value, value.shape);
      }
      return weights;
    });

  return {
    // The contract that this file was written for.
    specVersion: 'lmd-optimizer-v1',
    name: 'myOptimizer',
    samples: 1,

    async init(ops, weights) {
      return ops.scope(() => {
        /** @type {Record<string, Tensor>} */
        const tensors = {};
        for (const [weight, value] of Object.entries(weights)) {
          tensors[weightOf(weight)] = ops.reshape(value, value.shape);
          tensors[velocityOf(weight)] = ops.zeros(value.shape);
        }
        return { step: 0, tensors };
      });
    },

    draw: stored,
    weights: stored,

    update(ops, state, passes) {
      const weights = Object.fromEntries(
        weightsOf(state).map((name) => [name, tensorOf(state.tensors, weightOf(name))]),
      );
      const gradients = gradientsOf(passes, weights);
      const rate = learningRate(state.step);
      return ops.scope(() => {
        /** @type {Record<string, Tensor>} */
        const tensors = {};
        for (const [name, weight] of Object.entries(weights)) {
          const gradient = tensorOf(gradients, name);
          const before = tensorOf(state.tensors, velocityOf(name));
          const velocity = ops.scope(() => ops.add(ops.multiply(before, momentum), gradient));
          tensors[velocityOf(name)] = velocity;
          tensors[weightOf(name)] = ops.scope(() => ops.subtract(weight, ops.multiply(velocity, rate)));
        }
        return { step: state.step + 1, tensors };
      });
    },
  };
}
