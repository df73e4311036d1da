import { compositions } from '../compositions/index.js';
import { describeValue, LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { AdamwTensors, AdamwUpdateOptions, LmdTensors, LmdUpdateOptions } from '../optimizer-kernels.js';
import { assertRandomKey } from '../random/random-key.js';
import { type FloatTensor, sizeOf, type Tensor } from '../tensor.js';
import {
  type Check,
  type Context,
  checkChoice,
  checkFinite,
  checkFlag,
  checkOptions,
  checkRecord,
  floats,
} from './context.js';
import { checkArray, formatShape, sameShape, shapeMismatch } from './shapes.js';

export type OptimizerOperations = Pick<EagerOperations, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate' | 'weightedSum'>;

const regularizers = ['logNormalPrior', 'powerPrior', 'exponentialPrior', 'halfNormalPrior'];
const lmdOptions = [
  'learningRate',
  'beta1',
  'beta2',
  'regularization',
  'regularizer',
  'noise',
  'gradientScaling',
  'useSign',
];
const adamwOptions = ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'step'];

export function optimizerKernels(context: Context, operations: () => EagerOperations): OptimizerOperations {
  const { backend, track, alias } = context;
  const check: Check = context.check;
  const { fused } = backend;

  /** Throws unless all that are present have one shape. */
  function checkAlike(name: string, tensors: Readonly<Record<string, Tensor | undefined>>): void {
    let first: Tensor | undefined;
    let firstRole = '';
    for (const role in tensors) {
      const x = tensors[role];
      if (x === undefined) continue;
      if (first === undefined) {
        first = x;
        firstRole = role;
      } else if (!sameShape(first.shape, x.shape)) {
        throw shapeMismatch(
          name,
          `${firstRole} is ${formatShape(first.shape)}, ${role} is ${formatShape(x.shape)}.`,
          [first.shape, x.shape],
          'All must have the shape of the weight.',
        );
      }
    }
  }

  function checkLmdState(name: string, state: LmdTensors): asserts state is LmdTensors<FloatTensor> {
    checkRecord(name, 'state', state);
    const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
    for (const x of [logPlus, logMinus, momentumPlus]) check(name, x, floats);
    if (momentumMinus !== undefined) check(name, momentumMinus, floats);
    checkAlike(name, { logPlus, logMinus, momentumPlus, momentumMinus });
  }

  function checkAdamwState(name: string, state: AdamwTensors): asserts state is AdamwTensors<FloatTensor> {
    checkRecord(name, 'state', state);
    const { weights, firstMoment, secondMoment } = state;
    for (const x of [weights, firstMoment, secondMoment]) check(name, x, floats);
    checkAlike(name, { weights, firstMoment, secondMoment });
  }

  function checkGradients(
    name: string,
    state: LmdTensors,
    gradients: readonly Tensor[],
  ): asserts gradients is readonly FloatTensor[] {
    for (const gradient of gradients) {
      check(name, gradient, floats);
      checkAlike(name, { logPlus: state.logPlus, gradient });
    }
  }

  return {
    lmdDraw(logPlus, logMinus, noise, key) {
      const name = 'lmdDraw';
      check(name, logPlus, floats);
      check(name, logMinus, floats);
      checkAlike(name, { logPlus, logMinus });
      checkFinite(name, 'noise', noise, 0);
      assertRandomKey(key, name);
      if (sizeOf(logPlus.shape) === 0) return alias(name, logPlus);
      return fused.lmdDraw
        ? track(name, fused.lmdDraw(logPlus, logMinus, noise, key))
        : compositions.lmdDraw(operations(), logPlus, logMinus, noise, key);
    },

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const name = 'lmdUpdate';
      checkLmdState(name, state);
      const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
      checkArray(name, 'gradients', gradients);
      checkArray(name, 'keys', keys);
      checkGradients(name, state, gradients);
      check(name, logPriorMedian, floats);
      if (logPriorMedian.shape.length !== 0) {
        throw shapeMismatch(
          name,
          `logPriorMedian is ${formatShape(logPriorMedian.shape)}; it must be a scalar.`,
          logPriorMedian.shape,
        );
      }
      checkKeys(name, gradients, keys);
      checkLmdOptions(name, state, options);
      if (sizeOf(logPlus.shape) === 0) {
        const copy = { logPlus: alias(name, logPlus), logMinus: alias(name, logMinus) };
        const momentum = { momentumPlus: alias(name, momentumPlus) };
        if (momentumMinus === undefined) return { ...copy, ...momentum };
        return { ...copy, ...momentum, momentumMinus: alias(name, momentumMinus) };
      }
      if (!fused.lmdUpdate)
        return compositions.lmdUpdate(operations(), state, gradients, keys, logPriorMedian, options);
      const next = fused.lmdUpdate(state, gradients, keys, logPriorMedian, options);
      for (const x of [next.logPlus, next.logMinus, next.momentumPlus]) track(name, x);
      if (next.momentumMinus !== undefined) track(name, next.momentumMinus);
      return next;
    },

    adamwUpdate(state, gradient, options) {
      const name = 'adamwUpdate';
      checkAdamwState(name, state);
      const { weights, firstMoment, secondMoment } = state;
      check(name, gradient, floats);
      checkAlike(name, { weights, gradient });
      checkAdamwOptions(name, options);
      if (sizeOf(weights.shape) === 0) {
        return {
          weights: alias(name, weights),
          firstMoment: alias(name, firstMoment),
          secondMoment: alias(name, secondMoment),
        };
      }
      if (!fused.adamwUpdate) return compositions.adamwUpdate(operations(), state, gradient, options);
      const next = fused.adamwUpdate(state, gradient, options);
      for (const x of [next.weights, next.firstMoment, next.secondMoment]) track(name, x);
      return next;
    },

    weightedSum(x, alpha, y, beta) {
      const name = 'weightedSum';
      check(name, x, floats);
      check(name, y, floats);
      checkAlike(name, { x, y });
      checkFinite(name, 'alpha', alpha);
      checkFinite(name, 'beta', beta);
      if (sizeOf(x.shape) === 0) return alias(name, x);
      return fused.weightedSum
        ? track(name, fused.weightedSum(x, alpha, y, beta))
        : compositions.weightedSum(operations(), x, alpha, y, beta);
    },
  };
}

function checkKeys(name: string, gradients: readonly Tensor[], keys: readonly RandomKey[]): void {
  for (const key of keys) assertRandomKey(key, name);
  if (gradients.length > 0 && gradients.length === keys.length) return;
  throw new LmdError('INVALID_ARGUMENT', `${name}: ${gradients.length} gradients and ${keys.length} keys.`, {
    subject: 'gradients',
    value: gradients.length,
    remedy: 'Pass one key for each gradient, and at least one of them.',
  });
}

function checkLmdOptions(name: string, state: LmdTensors, options: LmdUpdateOptions): void {
  checkOptions(name, options, lmdOptions);
  checkFinite(name, 'learningRate', options.learningRate, 0);
  checkBeta(name, 'beta1', options.beta1, 1);
  checkBeta(name, 'beta2', options.beta2, 1);
  checkFinite(name, 'regularization', options.regularization, 0);
  checkFinite(name, 'noise', options.noise, 0);
  checkFlag(name, 'useSign', options.useSign);
  checkChoice(name, 'regularizer', options.regularizer, regularizers);
  checkChoice(name, 'gradientScaling', options.gradientScaling, ['sample', 'none']);
  if ((state.momentumMinus !== undefined) === (options.gradientScaling === 'sample')) return;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${name}: gradientScaling "${options.gradientScaling}" ${state.momentumMinus === undefined ? 'without' : 'with'} momentumMinus.`,
    {
      subject: 'momentumMinus',
      value: options.gradientScaling,
      remedy: '"sample" needs a momentum for each half, "none" one for both.',
    },
  );
}

function checkAdamwOptions(name: string, options: AdamwUpdateOptions): void {
  checkOptions(name, options, adamwOptions);
  checkFinite(name, 'learningRate', options.learningRate, 0);
  checkFinite(name, 'epsilon', options.epsilon, 0);
  checkFinite(name, 'weightDecay', options.weightDecay, 0);
  // At 1 the bias corrections would divide by zero.
  checkBeta(name, 'beta1', options.beta1, 1 - Number.EPSILON);
  checkBeta(name, 'beta2', options.beta2, 1 - Number.EPSILON);
  checkFinite(name, 'step', options.step, 1);
}

function checkBeta(name: string, option: string, value: number, highest: number): void {
  if (typeof value === 'number' && value >= 0 && value <= highest) return;
  throw new LmdError('INVALID_ARGUMENT', `${name}: ${option} is ${describeValue(value)}.`, {
    subject: option,
    value,
    remedy: `It must be in [0, 1${highest === 1 ? ']' : ')'}.`,
  });
}
