import {
  type AdamwTensors,
  type FloatTensor,
  type FusedKernels,
  LmdError,
  type LmdRegularizer,
  type LmdTensors,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { seedWords } from './random.js';

/** Numbers of the priors in `assembly/optimizers.ts`. */
const regularizerNumbers: Readonly<Record<LmdRegularizer, number>> = {
  logNormalPrior: 0,
  powerPrior: 1,
  exponentialPrior: 2,
  halfNormalPrior: 3,
};

/** Elements for which noise is drawn at once; see `assembly/workspace.ts`. */
const block = 1024;

/** Words of a sample's entry in the table that `lmdUpdate` is given. */
const entryWords = 6;

export function cpuOptimizers(host: MemoryHost): Pick<FusedKernels, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate'> {
  const { run, address } = host;
  const like = (x: Tensor) => host.allocate(x.shape, 'f32');

  return {
    lmdDraw(logPlus, logMinus, noise, key) {
      const { stream, step, sample } = key;
      const [low, high] = seedWords(key);
      return host.make(logPlus.shape, 'f32', (out) => {
        const size = sizeOf(logPlus.shape);
        run(
          'lmdDraw',
          { total: size, unit: block, cost: 6 },
          address(logPlus),
          address(logMinus),
          address(out),
          noise,
          stream,
          step,
          sample,
          low,
          high,
        );
      });
    },

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const scaled = options.gradientScaling === 'sample';
      if (scaled !== (state.momentumMinus !== undefined)) throw wrongMomentum(scaled);
      const table = host.allocate([gradients.length, entryWords], 'i32');
      const out: LmdTensors<FloatTensor> = {
        logPlus: like(state.logPlus),
        logMinus: like(state.logMinus),
        momentumPlus: like(state.momentumPlus),
        ...(state.momentumMinus === undefined ? {} : { momentumMinus: like(state.momentumMinus) }),
      };
      const entries = host.integers(table);
      gradients.forEach((gradient, s) => {
        const key = keys[s]!;
        entries.set([address(gradient), key.stream, key.step, key.sample, ...seedWords(key)], s * entryWords);
      });
      run(
        'lmdUpdate',
        { total: sizeOf(state.logPlus.shape), unit: block, cost: 2 + 6 * gradients.length },
        address(state.logPlus),
        address(state.logMinus),
        address(state.momentumPlus),
        state.momentumMinus === undefined ? 0 : address(state.momentumMinus),
        address(out.logPlus),
        address(out.logMinus),
        address(out.momentumPlus),
        out.momentumMinus === undefined ? 0 : address(out.momentumMinus),
        address(table),
        gradients.length,
        1 / gradients.length,
        options.noise,
        options.learningRate,
        options.beta1,
        1 - options.beta1,
        options.beta2,
        1 - options.beta2,
        options.regularization,
        regularizerNumbers[options.regularizer],
        host.floats(logPriorMedian)[0]!,
        options.useSign,
      );
      host.store.free(table);
      return out;
    },

    adamwUpdate(state, gradient, { learningRate, beta1, beta2, epsilon, weightDecay, step }) {
      const out: AdamwTensors<FloatTensor> = {
        weights: like(state.weights),
        firstMoment: like(state.firstMoment),
        secondMoment: like(state.secondMoment),
      };
      run(
        'adamwUpdate',
        { total: sizeOf(gradient.shape), unit: 16, cost: 1.5 },
        address(state.weights),
        address(state.firstMoment),
        address(state.secondMoment),
        address(gradient),
        address(out.weights),
        address(out.firstMoment),
        address(out.secondMoment),
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        learningRate / (1 - beta1 ** step),
        1 / (1 - beta2 ** step),
        epsilon,
        1 - learningRate * weightDecay,
      );
      return out;
    },
  };
}

function wrongMomentum(scaled: boolean): LmdError {
  return new LmdError(
    'INVALID_ARGUMENT',
    `LMD with gradientScaling "${scaled ? 'sample' : 'none'}" ${scaled ? 'needs' : 'has no'} momentumMinus.`,
    { subject: 'momentumMinus', remedy: 'Give the state and the options of one rule.' },
  );
}
