import {
  type AdamwTensors,
  type FloatTensor,
  type FusedKernels,
  LmdError,
  type LmdTensors,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { keyWords } from './random.js';
import { noiseBlock, Regularizer } from './wasm/numbers.js';
import { setEntry } from './wasm/table-entries.js';
import { SampleEntry } from './wasm/tables.js';

type CpuOptimizers = Pick<FusedKernels, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate' | 'weightedSum'>;

export function cpuOptimizers(host: MemoryHost): CpuOptimizers {
  const { run, address } = host;
  const like = (x: Tensor) => host.allocate(x.shape, 'f32');

  return {
    lmdDraw(logPlus, logMinus, noise, key) {
      return host.make(logPlus.shape, 'f32', (out) => {
        const split = { total: sizeOf(logPlus.shape), unit: noiseBlock, cost: 6 };
        run('lmdDraw', split, {
          logPlus: address(logPlus),
          logMinus: address(logMinus),
          out: address(out),
          noise,
          ...keyWords(key),
        });
      });
    },

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const scaled = options.gradientScaling === 'sample';
      if (scaled !== (state.momentumMinus !== undefined)) throw wrongMomentum(scaled);
      const table = host.allocate([gradients.length, SampleEntry.words], 'i32');
      const out: LmdTensors<FloatTensor> = {
        logPlus: like(state.logPlus),
        logMinus: like(state.logMinus),
        momentumPlus: like(state.momentumPlus),
        ...(state.momentumMinus === undefined ? {} : { momentumMinus: like(state.momentumMinus) }),
      };
      const entries = host.integers(table);
      gradients.forEach((gradient, s) => {
        const start = s * SampleEntry.words;
        setEntry(entries, SampleEntry, start, { gradient: address(gradient), ...keyWords(keys[s]!) });
      });
      const split = { total: sizeOf(state.logPlus.shape), unit: noiseBlock, cost: 2 + 6 * gradients.length };
      run('lmdUpdate', split, {
        logPlus: address(state.logPlus),
        logMinus: address(state.logMinus),
        momentumPlus: address(state.momentumPlus),
        momentumMinus: state.momentumMinus === undefined ? 0 : address(state.momentumMinus),
        outLogPlus: address(out.logPlus),
        outLogMinus: address(out.logMinus),
        outMomentumPlus: address(out.momentumPlus),
        outMomentumMinus: out.momentumMinus === undefined ? 0 : address(out.momentumMinus),
        table: address(table),
        samples: gradients.length,
        share: 1 / gradients.length,
        noise: options.noise,
        learningRate: options.learningRate,
        beta1: options.beta1,
        rest1: 1 - options.beta1,
        beta2: options.beta2,
        rest2: 1 - options.beta2,
        regularization: options.regularization,
        regularizer: Regularizer[options.regularizer],
        logPriorMedian: host.floats(logPriorMedian)[0]!,
        useSign: options.useSign,
      });
      host.store.free(table);
      return out;
    },

    adamwUpdate(state, gradient, { learningRate, beta1, beta2, epsilon, weightDecay, step }) {
      const out: AdamwTensors<FloatTensor> = {
        weights: like(state.weights),
        firstMoment: like(state.firstMoment),
        secondMoment: like(state.secondMoment),
      };
      const split = { total: sizeOf(gradient.shape), unit: 16, cost: 1.5 };
      run('adamwUpdate', split, {
        weights: address(state.weights),
        first: address(state.firstMoment),
        second: address(state.secondMoment),
        gradient: address(gradient),
        outWeights: address(out.weights),
        outFirst: address(out.firstMoment),
        outSecond: address(out.secondMoment),
        beta1,
        rest1: 1 - beta1,
        beta2,
        rest2: 1 - beta2,
        rate: learningRate / (1 - beta1 ** step),
        secondScale: 1 / (1 - beta2 ** step),
        epsilon,
        kept: 1 - learningRate * weightDecay,
      });
      return out;
    },

    weightedSum: (x, alpha, y, beta) =>
      host.make(x.shape, 'f32', (out) => {
        const split = { total: sizeOf(x.shape), unit: 16, cost: 0.5 };
        run('weightedSum', split, { x: address(x), y: address(y), out: address(out), alpha, beta });
      }),
  };
}

function wrongMomentum(scaled: boolean): LmdError {
  return new LmdError(
    'INVALID_ARGUMENT',
    `LMD with gradientScaling "${scaled ? 'sample' : 'none'}" ${scaled ? 'needs' : 'has no'} momentumMinus.`,
    { subject: 'momentumMinus', remedy: 'Use a state and options of the same optimizer.' },
  );
}
