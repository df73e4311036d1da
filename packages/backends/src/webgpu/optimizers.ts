import {
  type FloatTensor,
  type FusedKernels,
  type LmdTensors,
  type LmdUpdateOptions,
  type RandomKey,
  sizeOf,
} from '@lmd/core';
import { adamwKernel, adamwValues } from './adamw-kernel.js';
import type { Context } from './context.js';
import { groupedAdamw, groupedDraw, groupedKeyValues, groupedLmd, groupedUnscaledLmd } from './grouped-kernels.js';
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
import type { UpdateGroups } from './update-groups.js';

export function optimizers(
  context: Context,
  groups: UpdateGroups,
): Pick<FusedKernels, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate'> {
  const { make, makeAll, runPages, store } = context;

  /** Runs `body` with the sum of what `next` adds term by term, and frees every sum on the way. */
  function withSum<Result>(
    first: FloatTensor | undefined,
    terms: readonly (readonly FloatTensor[])[],
    next: (sum: FloatTensor | undefined, term: readonly FloatTensor[], index: number) => FloatTensor,
    body: (sum: FloatTensor) => Result,
  ): Result {
    let sum = first;
    const replace = (by: FloatTensor | undefined) => {
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
    logMedian: FloatTensor,
    momentum: FloatTensor,
    gradients: readonly FloatTensor[],
    keys: readonly RandomKey[],
    prior: FloatTensor,
    options: LmdUpdateOptions,
    minus: boolean,
  ): [FloatTensor, FloatTensor] {
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
    const gather = (sum: FloatTensor | undefined, some: readonly FloatTensor[], i: number) =>
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

  function groupedUpdate(
    { logPlus, logMinus, momentumPlus, momentumMinus }: LmdTensors<FloatTensor>,
    gradients: readonly FloatTensor[],
    keys: readonly RandomKey[],
    prior: FloatTensor,
    options: LmdUpdateOptions,
  ): LmdTensors<FloatTensor> {
    const { shape } = logPlus;
    const values = stepValues(options, 1 / gradients.length);
    const samples = gradients.length;
    if (options.gradientScaling === 'none') {
      const [plus, minus, momentum] = groups.add({
        kernel: groupedUnscaledLmd,
        values: { ...values, samples },
        shape,
        state: [logPlus, logMinus, momentumPlus],
        gradients,
        prior,
        streams: [],
        outputs: 3,
      }) as [FloatTensor, FloatTensor, FloatTensor];
      return { logPlus: plus, logMinus: minus, momentumPlus: momentum };
    }
    const [plus, minus, plusMomentum, minusMomentum] = groups.add({
      kernel: groupedLmd,
      values: { ...values, ...groupedKeyValues(keys) },
      shape,
      state: [logPlus, logMinus, momentumPlus, momentumMinus!],
      gradients,
      prior,
      streams: keys.map(({ stream }) => stream),
      outputs: 4,
    }) as [FloatTensor, FloatTensor, FloatTensor, FloatTensor];
    return { logPlus: plus, logMinus: minus, momentumPlus: plusMomentum, momentumMinus: minusMomentum };
  }

  return {
    lmdDraw(logPlus, logMinus, noise, key) {
      const { shape } = logPlus;
      if (groups.takes(shape, [key], 1)) {
        const values = { noise, ...groupedKeyValues([key]) };
        const streams = [key.stream];
        return groups.add({
          kernel: groupedDraw,
          values,
          shape,
          state: [logPlus, logMinus],
          gradients: [],
          streams,
          outputs: 1,
        })[0]!;
      }
      return make(shape, 'f32', (out) => {
        if (sizeOf(shape) > 0) runPages(drawKernel, [logPlus, logMinus], [out], { noise, ...keyValues(key) }, 4);
      });
    },

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
      if (groups.takes(logPlus.shape, options.gradientScaling === 'none' ? [] : keys, gradients.length)) {
        return groupedUpdate(state, gradients, keys, logPriorMedian, options);
      }
      if (options.gradientScaling === 'none') {
        const { shape } = logPlus;
        const add = (sum: FloatTensor | undefined, [gradient]: readonly FloatTensor[]) =>
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
      const half = (logMedian: FloatTensor, momentum: FloatTensor, minus: boolean) =>
        updateHalf(logMedian, momentum, gradients, keys, logPriorMedian, options, minus);
      const plus = half(logPlus, momentumPlus, false);
      let minus: [FloatTensor, FloatTensor];
      try {
        minus = half(logMinus, momentumMinus!, true);
      } catch (error) {
        for (const x of plus) store.free(x);
        throw error;
      }
      return { logPlus: plus[0], logMinus: minus[0], momentumPlus: plus[1], momentumMinus: minus[1] };
    },

    adamwUpdate(state, gradient, options) {
      const values = adamwValues(options);
      const { shape } = gradient;
      if (groups.takes(shape, [], 1)) {
        const [weights, firstMoment, secondMoment] = groups.add({
          kernel: groupedAdamw,
          values,
          shape,
          state: [state.weights, state.firstMoment, state.secondMoment],
          gradients: [gradient],
          streams: [],
          outputs: 3,
        }) as [FloatTensor, FloatTensor, FloatTensor];
        return { weights, firstMoment, secondMoment };
      }
      const [weights, firstMoment, secondMoment] = makeAll([shape, shape, shape] as const, (outs) =>
        runPages(adamwKernel, [state.weights, state.firstMoment, state.secondMoment, gradient], outs, values),
      );
      return { weights, firstMoment, secondMoment };
    },
  };
}
