import { type FusedKernels, type LmdUpdateOptions, type RandomKey, sizeOf, type Tensor } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import {
  drawKernel,
  finishKernel,
  gatherKernel,
  halfKernel,
  sampleKeyValues,
  samplesTogether,
  stepValues,
  sumKernel,
  unscaledKernel,
} from './lmd-kernels.js';
import { keyValues } from './random.js';
import { perElement } from './wgsl.js';

const adamwKernel: Kernel = {
  name: 'adamwUpdate',
  inputs: { weights: 'f32', first: 'f32', second: 'f32', gradient: 'f32' },
  outputs: { new_weights: 'f32', new_first: 'f32', new_second: 'f32' },
  parameters: {
    count: 'u32',
    beta1: 'f32',
    rest1: 'f32',
    beta2: 'f32',
    rest2: 'f32',
    rate: 'f32',
    kept: 'f32',
    second_scale: 'f32',
    epsilon: 'f32',
  },
  code: perElement(`
  let g = gradient_at(i);
  let first = params.beta1 * first_at(i) + params.rest1 * g;
  let second = params.beta2 * second_at(i) + params.rest2 * (g * g);
  new_first_set(i, first);
  new_second_set(i, second);
  new_weights_set(i, params.kept * weights_at(i) - params.rate * first / (sqrt(second) * params.second_scale + params.epsilon));`),
};

export function optimizers(context: Context): Pick<FusedKernels, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate'> {
  const { make, makeAll, runPages, store } = context;

  /** Runs `body` with the sum of what `next` adds term by term, and frees every sum on the way. */
  function withSum<Result>(
    first: Tensor | undefined,
    terms: readonly (readonly Tensor[])[],
    next: (sum: Tensor | undefined, term: readonly Tensor[], index: number) => Tensor,
    body: (sum: Tensor) => Result,
  ): Result {
    let sum = first;
    const replace = (by: Tensor | undefined) => {
      if (sum !== undefined && sum !== first) store.free(sum);
      sum = by;
    };
    try {
      for (const [index, term] of terms.entries()) replace(next(sum, term, index));
      return body(sum!);
    } finally {
      replace(undefined);
    }
  }

  /** log m and v of one half after the step. */
  function updateHalf(
    logMedian: Tensor,
    momentum: Tensor,
    gradients: readonly Tensor[],
    keys: readonly RandomKey[],
    prior: Tensor,
    options: LmdUpdateOptions,
    minus: boolean,
  ): [Tensor, Tensor] {
    const { shape } = logMedian;
    const values = stepValues(options, (minus ? -1 : 1) / gradients.length);
    if (gradients.length <= samplesTogether) {
      const own = { ...values, ...sampleKeyValues(keys, minus) };
      const kernel = halfKernel(gradients.length);
      return makeAll([shape, shape] as const, (outs) =>
        runPages(kernel, [logMedian, momentum, prior, ...gradients], outs, own, 4),
      );
    }
    const chunks = Array.from({ length: Math.ceil(gradients.length / samplesTogether) }, (_, i) =>
      gradients.slice(i * samplesTogether, (i + 1) * samplesTogether),
    );
    const gather = (sum: Tensor | undefined, some: readonly Tensor[], i: number) =>
      make(shape, 'f32', (out) => {
        const own = {
          noise: options.noise,
          fresh: sum === undefined ? 1 : 0,
          ...sampleKeyValues(keys.slice(i * samplesTogether, (i + 1) * samplesTogether), minus),
        };
        // The first run has no sum to add to, and does not read what it is given in its place.
        runPages(gatherKernel(some.length), [logMedian, sum ?? logMedian, ...some], [out], own, 4);
      });
    return withSum(undefined, chunks, gather, (sum) =>
      makeAll([shape, shape] as const, (outs) =>
        runPages(finishKernel, [logMedian, momentum, prior, sum], outs, values),
      ),
    );
  }

  return {
    lmdDraw: (logPlus, logMinus, noise, key) =>
      make(logPlus.shape, 'f32', (out) => {
        if (sizeOf(out.shape) > 0) runPages(drawKernel, [logPlus, logMinus], [out], { noise, ...keyValues(key) }, 4);
      }),

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
      if (options.gradientScaling === 'none') {
        const { shape } = logPlus;
        const add = (sum: Tensor | undefined, [gradient]: readonly Tensor[]) =>
          make(shape, 'f32', (out) => runPages(sumKernel, [sum!, gradient!], [out], {}));
        const rest = gradients.slice(1).map((gradient) => [gradient]);
        const values = stepValues(options, 1 / gradients.length);
        const [plus, minus, momentum] = withSum(gradients[0], rest, add, (sum) =>
          makeAll([shape, shape, shape] as const, (outs) =>
            runPages(unscaledKernel, [logPlus, logMinus, momentumPlus, logPriorMedian, sum], outs, values),
          ),
        );
        return { logPlus: plus, logMinus: minus, momentumPlus: momentum };
      }
      const half = (logMedian: Tensor, momentum: Tensor, minus: boolean) =>
        updateHalf(logMedian, momentum, gradients, keys, logPriorMedian, options, minus);
      const plus = half(logPlus, momentumPlus, false);
      let minus: [Tensor, Tensor];
      try {
        minus = half(logMinus, momentumMinus!, true);
      } catch (error) {
        for (const x of plus) store.free(x);
        throw error;
      }
      return { logPlus: plus[0], logMinus: minus[0], momentumPlus: plus[1], momentumMinus: minus[1] };
    },

    adamwUpdate(state, gradient, options) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, step } = options;
      const values = {
        beta1,
        rest1: 1 - beta1,
        beta2,
        rest2: 1 - beta2,
        rate: learningRate / (1 - beta1 ** step),
        kept: 1 - learningRate * weightDecay,
        second_scale: 1 / Math.sqrt(1 - beta2 ** step),
        epsilon,
      };
      const { shape } = gradient;
      const [weights, firstMoment, secondMoment] = makeAll([shape, shape, shape] as const, (outs) =>
        runPages(adamwKernel, [state.weights, state.firstMoment, state.secondMoment, gradient], outs, values),
      );
      return { weights, firstMoment, secondMoment };
    },
  };
}
