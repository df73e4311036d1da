import { type LmdRegularizer, type LmdUpdateOptions, lmdRegularizers } from '@lmd/core';
import type { Case, CaseGroup, Context } from '../case.js';
import { adamwUpdate, type LmdValues, lmdDraw, lmdUpdate, weightedSum } from '../oracle/optimizers.js';
import { floats, normals, repeated, type Values } from '../values.js';
import { blockCodeCases } from './block-codes.js';

const drawCase: Case = {
  name: 'lmdDraw',
  async run(context) {
    const { random } = context;
    for (const shape of [[5], [3, 7], [0], pastScratch, random.shape(3)]) {
      const logPlus = floats(shape, () => -3 + random.normal());
      const logMinus = floats(shape, () => -3 + random.normal());
      for (const noise of [0, 0.05, 0.7]) {
        const key = random.key();
        await context.check({
          label: `lmdDraw with noise ${noise} of ${JSON.stringify(key)}`,
          bound: 'lmdDraw',
          kernel: 'lmdDraw',
          inputs: [logPlus, logMinus],
          run: (ops, [a, b]) => ops.lmdDraw(a!, b!, noise, key),
          want: lmdDraw(logPlus, logMinus, noise, key),
        });
      }
    }
  },
};

/** Longer than the pieces in which kernels draw their noise, and no multiple of a vector. */
const pastScratch = [2051];

/** Options of `lmdUpdate` as in training. */
export const usualOptions: LmdUpdateOptions = {
  learningRate: 3e-3,
  beta1: 0.9,
  beta2: 0.99,
  regularization: 0.5,
  regularizer: 'logNormalPrior',
  noise: 0.05,
  gradientScaling: 'sample',
  useSign: true,
};

/** A state and gradients in which no temporary momentum is so near 0 that rounding could decide its sign. */
function lmdInputs({ random }: Context, shape: readonly number[], samples: number, options: LmdUpdateOptions) {
  const logPlus = floats(shape, () => -3 + random.normal());
  const logMinus = floats(shape, () => -3 + random.normal());
  const signs = logPlus.data.map(() => random.sign());
  // One gradient sign a weight over all samples: then each average has that sign, and each momentum may share it.
  const gradients = Array.from({ length: samples }, () =>
    floats(shape, (i) => signs[i]! * Math.exp(random.normal() - 2)),
  );
  const momentum = (half: 1 | -1) => floats(shape, (i) => half * signs[i]! * Math.exp(random.normal() - 5));
  const state: LmdValues = {
    logPlus,
    logMinus,
    momentumPlus: momentum(1),
    ...(options.gradientScaling === 'sample' ? { momentumMinus: momentum(-1) } : {}),
  };
  return { state, gradients };
}

async function checkUpdate(
  context: Context,
  state: LmdValues,
  gradients: readonly Values[],
  options: LmdUpdateOptions,
): Promise<void> {
  const keys = gradients.map(() => context.random.key());
  const logPriorMedian = Math.fround(-3.2);
  const parts = [state.logPlus, state.logMinus, state.momentumPlus];
  if (state.momentumMinus !== undefined) parts.push(state.momentumMinus);
  await context.check({
    label: `lmdUpdate ${JSON.stringify({ ...options, keys })}`,
    bound: parts.map(() => 'lmdUpdate' as const),
    kernel: 'lmdUpdate',
    inputs: [...parts, ...gradients, repeated([], [logPriorMedian])],
    run: (ops, tensors) => {
      const [logPlus, logMinus, momentumPlus, momentumMinus] = tensors;
      const both = state.momentumMinus !== undefined;
      const next = ops.lmdUpdate(
        {
          logPlus: logPlus!,
          logMinus: logMinus!,
          momentumPlus: momentumPlus!,
          ...(both ? { momentumMinus: momentumMinus! } : {}),
        },
        tensors.slice(parts.length, parts.length + gradients.length),
        keys,
        tensors[tensors.length - 1]!,
        options,
      );
      const results = [next.logPlus, next.logMinus, next.momentumPlus];
      return next.momentumMinus === undefined ? results : [...results, next.momentumMinus];
    },
    want: lmdUpdate(state, gradients, keys, logPriorMedian, options),
  });
}

function updateCase(regularizer: LmdRegularizer, gradientScaling: 'sample' | 'none'): Case {
  const scaled = gradientScaling === 'sample' ? 'gradients scaled by the sample' : 'gradients as they are';
  return {
    name: `lmdUpdate with ${regularizer} and ${scaled}, S = 1 and 2`,
    async run(context) {
      for (const samples of [1, 2]) {
        for (const useSign of [true, false]) {
          const options = { ...usualOptions, regularizer, gradientScaling, useSign };
          const { state, gradients } = lmdInputs(context, context.random.shape(2), samples, options);
          await checkUpdate(context, state, gradients, options);
        }
      }
      const options: LmdUpdateOptions = { ...usualOptions, regularizer, gradientScaling, noise: 0, beta1: 0, beta2: 0 };
      for (const shape of [[4], pastScratch]) {
        const { state, gradients } = lmdInputs(context, shape, 1, options);
        await checkUpdate(context, state, gradients, options);
      }
    },
  };
}

const zeroGradientCase: Case = {
  name: 'lmdUpdate moves a weight without gradient by the regularizer alone: sign(0) is 0',
  async run(context) {
    const { random } = context;
    const zeros = floats([6], () => 0);
    const logPlus = floats([6], () => -3 + random.normal());
    const logMinus = floats([6], () => -3 + random.normal());
    const state = { logPlus, logMinus, momentumPlus: zeros, momentumMinus: zeros };
    await checkUpdate(context, state, [zeros], usualOptions);
    const shared = { logPlus, logMinus, momentumPlus: zeros };
    await checkUpdate(context, shared, [zeros], { ...usualOptions, gradientScaling: 'none' });
  },
};

const adamwCase: Case = {
  name: 'adamwUpdate',
  async run(context) {
    const { random } = context;
    for (const step of [1, 2, 1000]) {
      const shape = random.shape(2);
      const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step };
      const weights = normals(random, shape);
      const first = normals(random, shape, step === 1 ? 0 : 0.1);
      const second = floats(shape, () => (step === 1 ? 0 : random.next() * 0.01));
      // A gradient of 0 in a fresh state: 0 / (0 + epsilon).
      const gradient = floats(shape, (i) => (i === 0 ? 0 : random.normal()));
      await context.check({
        label: `adamwUpdate ${JSON.stringify(options)}`,
        bound: ['adamwUpdate', 'adamwUpdate', 'adamwUpdate'],
        kernel: 'adamwUpdate',
        inputs: [weights, first, second, gradient],
        run: (ops, [w, m, v, g]) => {
          const next = ops.adamwUpdate({ weights: w!, firstMoment: m!, secondMoment: v! }, g!, options);
          return [next.weights, next.firstMoment, next.secondMoment];
        },
        want: adamwUpdate(weights, first, second, gradient, options),
      });
    }
  },
};

const weightedSumCase: Case = {
  name: 'weightedSum rounds each product and the sum',
  async run(context) {
    const { random } = context;
    for (const shape of [[], [5], [0], pastScratch, random.shape(3)]) {
      for (const [alpha, beta] of [
        [0.9, 1 - 0.9],
        [1, -3e-4],
        [0, 1],
      ] as const) {
        const [x, y] = [normals(random, shape), normals(random, shape)];
        await context.check({
          label: `weightedSum with ${alpha} and ${beta}`,
          bound: 'arithmetic',
          kernel: 'weightedSum',
          inputs: [x, y],
          run: (ops, [a, b]) => ops.weightedSum(a!, alpha, b!, beta),
          want: weightedSum(x, alpha, y, beta),
        });
      }
    }
  },
};

/** Draws and single steps of the optimizers that have kernels, and the codes that states are stored in. */
export const optimizers: CaseGroup = {
  name: 'optimizers',
  cases: [
    drawCase,
    ...lmdRegularizers.flatMap((regularizer) => [updateCase(regularizer, 'sample'), updateCase(regularizer, 'none')]),
    zeroGradientCase,
    adamwCase,
    weightedSumCase,
    ...blockCodeCases,
  ],
};
