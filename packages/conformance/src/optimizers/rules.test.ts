import { createReferenceBackend } from '@lmd/backends/reference';
import {
  adamw,
  createOperations,
  exponentiatedGradient,
  ivon,
  lieGroupAdditive,
  lieGroupAffine,
  lieGroupMultiplicative,
  lion,
  lmd,
  madam,
  multiplicativeWeights,
  muon,
  schedules,
  sgd,
  signum,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { optimizerConformance } from '../optimizer-conformance.js';
import { besideAdamw } from '../testing/beside-adamw.js';
import { rmsprop } from '../testing/rmsprop.js';
import { signDescent } from '../testing/sign-descent.js';
import type { OptimizerConformanceOptions } from './options.js';

const reference = () => createOperations(createReferenceBackend());

/** Values out of an interval, by the kind of interval. */
const fraction = [-0.1, 1, Number.NaN];
const notNegative = [-1e-9, Number.NaN, '1'];
const positive = [0, -1, Infinity];
const count = [0, 1.5, -1];
const flag = [1, 'yes'];

type Rule = Omit<OptimizerConformanceOptions, 'createOperations'>;

const rules: readonly Rule[] = [
  {
    name: 'lmd',
    create: (options) => lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.02, ...options }),
    learningRate: 0.05,
    refused: {
      beta1: fraction,
      beta2: fraction,
      regularization: notNegative,
      regularizer: ['normalPrior', 0],
      regularizerAt: ['mean', 1],
      noise: [...notNegative, 11],
      samples: count,
      gradientScaling: ['both'],
      useSign: flag,
      priorMedianFloor: positive,
      initialization: ['zero'],
      priorMedian: [0, { weight: -1 }, 'weights'],
      stateFormat: ['fp4', 'block8'],
      evaluation: ['mode'],
      evaluationSamples: count,
    },
  },
  {
    name: 'lmd, two samples',
    create: (options) => lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.05, samples: 2, ...options }),
    learningRate: 0.05,
  },
  {
    name: 'lmd, the divergence from an exponential prior, at the samples',
    create: (options) =>
      lmd({
        priorMedianFloor: 0.5,
        regularization: 0.005,
        noise: 0.02,
        regularizer: 'exponentialDivergence',
        regularizerAt: 'sample',
        ...options,
      }),
    learningRate: 0.05,
    // It pulls harder at large weights than the log-normal prior, with noise in every step.
    remainingLoss: 0.05,
  },
  {
    name: 'lmd, λ and σ on schedules',
    create: (options) =>
      lmd({
        priorMedianFloor: 0.5,
        regularization: schedules.linear({ from: 0.1, to: 0.02, steps: 100 }),
        noise: schedules.cosine({ from: 0.1, to: 0.01, steps: 300 }),
        ...options,
      }),
    learningRate: 0.05,
  },
  {
    name: 'lmd, three vectors',
    create: (options) =>
      lmd({ priorMedianFloor: 0.5, regularization: 0.02, noise: 0.02, gradientScaling: 'none', ...options }),
    learningRate: 0.05,
  },
  {
    name: 'lmd, in words of 16 and 8 bits',
    create: (options) =>
      lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.02, stateFormat: 'block16', ...options }),
    learningRate: 0.05,
  },
  {
    name: 'lmd, in words of three times 8 bits',
    create: (options) =>
      lmd({
        priorMedianFloor: 0.5,
        regularization: 0.02,
        noise: 0.02,
        gradientScaling: 'none',
        stateFormat: 'block8',
        ...options,
      }),
    learningRate: 0.05,
    // Codes are a few hundredths apart in log m.
    remainingLoss: 0.1,
  },
  {
    name: 'lmd, hypentropy, its prior about the initial weights',
    create: (options) =>
      lmd({
        regularization: 0.02,
        noise: 0.02,
        initialization: 'hypentropy',
        priorMedian: 'initialWeights',
        ...options,
      }),
    learningRate: 0.05,
  },
  {
    name: 'lieGroupAdditive',
    create: (options) => lieGroupAdditive(options),
    learningRate: 1,
    refused: { momentum: fraction, noise: notNegative, samples: count },
  },
  {
    name: 'lieGroupMultiplicative',
    create: (options) => lieGroupMultiplicative({ temperature: 1e-5, samples: 4, ...options }),
    learningRate: 0.3,
    refused: { momentum: fraction, temperature: notNegative, samples: count, floor: positive },
    // A half deviates by 52 % of its mean, which shrinks the weights that are best on average: their mean is no
    // minimum.
    remainingLoss: { quadratic: 0.25, logisticRegression: 0.15, matrixFactorization: 0.35, tanhNetwork: 0.6 },
  },
  {
    name: 'lieGroupAffine',
    create: (options) => lieGroupAffine(options),
    // Rates go with curvature and temperature here; they stop below those that diverge.
    learningRate: { quadratic: 100, logisticRegression: 100, matrixFactorization: 30, tanhNetwork: 100 },
    remainingLoss: { quadratic: 0.02, logisticRegression: 0.02, matrixFactorization: 0.02, tanhNetwork: 0.1 },
    refused: {
      scaleLearningRate: notNegative,
      momentum: fraction,
      temperature: notNegative,
      initialScale: positive,
      samples: count,
    },
  },
  {
    name: 'ivon',
    create: (options) => ivon({ effectiveSampleSize: 1e5, ...options }),
    learningRate: 1,
    refused: {
      effectiveSampleSize: [undefined, ...positive],
      beta1: fraction,
      beta2: fraction,
      weightDecay: positive,
      initialHessian: positive,
      rescaleLearningRate: flag,
      clipRadius: positive,
      samples: count,
    },
  },
  {
    name: 'ivon, two samples and a fast Hessian',
    create: (options) => ivon({ effectiveSampleSize: 1e5, beta2: 0.999, samples: 2, clipRadius: 1, ...options }),
    learningRate: 1,
  },
  {
    name: 'exponentiatedGradient',
    create: (options) => exponentiatedGradient(options),
    learningRate: { quadratic: 0.3, logisticRegression: 0.6, matrixFactorization: 0.6, tanhNetwork: 0.6 },
    refused: { normalize: flag, floor: positive },
  },
  {
    name: 'exponentiatedGradient, normalised',
    create: (options) => exponentiatedGradient({ normalize: true, ...options }),
    learningRate: 0.6,
  },
  {
    name: 'madam',
    create: (options) => madam(options),
    learningRate: 0.03,
    refused: { beta: fraction, gradientBound: positive, weightBound: positive },
  },
  {
    name: 'adamw',
    create: (options) => adamw(options),
    learningRate: 0.03,
    refused: {
      beta1: fraction,
      beta2: fraction,
      epsilon: positive,
      weightDecay: notNegative,
      weightFormat: ['fp16', true],
      momentFormat: ['fp16', true],
      errorFeedback: [...flag, true],
    },
  },
  {
    name: 'adamw, BF16 weights',
    create: (options) => adamw({ weightFormat: 'bf16', ...options }),
    learningRate: 0.03,
  },
  {
    name: 'adamw, BF16 weights and moments',
    create: (options) => adamw({ weightFormat: 'bf16', momentFormat: 'bf16', ...options }),
    learningRate: 0.03,
  },
  {
    name: 'adamw, split weights and companded moments',
    create: (options) => adamw({ weightFormat: 'split24', momentFormat: 'companded8', ...options }),
    learningRate: 0.03,
  },
  {
    name: 'adamw, BF16 weights and companded moments',
    create: (options) => adamw({ weightFormat: 'bf16', momentFormat: 'companded8', ...options }),
    learningRate: 0.03,
  },
  {
    name: 'adamw, BF16 weights with error feedback and companded moments',
    create: (options) => adamw({ weightFormat: 'bf16', momentFormat: 'companded8', errorFeedback: true, ...options }),
    learningRate: 0.03,
  },
  {
    name: 'lion',
    create: (options) => lion(options),
    learningRate: 0.02,
    refused: { beta1: fraction, beta2: fraction, weightDecay: notNegative },
  },
  {
    name: 'signum',
    create: (options) => signum(options),
    learningRate: 0.02,
    refused: { momentum: fraction, weightDecay: notNegative },
  },
  {
    name: 'multiplicativeWeights',
    create: (options) => multiplicativeWeights(options),
    learningRate: 0.03,
    refused: { cost: ['loss', 1] },
  },
  {
    name: 'multiplicativeWeights, gradient',
    create: (options) => multiplicativeWeights({ cost: 'gradient', ...options }),
    learningRate: { quadratic: 0.6, logisticRegression: 1, matrixFactorization: 1, tanhNetwork: 1.2 },
  },
  {
    name: 'muon',
    create: besideAdamw((options) => muon(options)),
    learningRate: 0.1,
    refused: {
      momentum: fraction,
      nesterov: flag,
      weightDecay: notNegative,
      scale: ['rms'],
      iterations: [...count, 101],
      iterationFormat: ['fp16'],
    },
  },
  {
    name: 'muon, in BF16',
    create: besideAdamw((options) => muon({ iterationFormat: 'bf16', nesterov: false, ...options })),
    learningRate: 0.1,
  },
  {
    name: 'sgd',
    create: (options) => sgd(options),
    learningRate: 0.1,
    refused: { momentum: fraction, nesterov: flag, weightDecay: notNegative },
  },
  {
    name: 'sgd, Nesterov',
    create: (options) => sgd({ nesterov: true, ...options }),
    learningRate: 0.1,
  },
  // A rule that no package knows: what a third party writes.
  {
    name: 'rmsprop, of the exported helpers',
    create: rmsprop,
    learningRate: 0.03,
    refused: { decay: fraction },
  },
  {
    name: 'signDescent',
    create: signDescent,
    learningRate: 0.03,
    refused: { shrinkage: fraction },
  },
];

for (const rule of rules) optimizerConformance({ describe, it, expect }, { ...rule, createOperations: reference });
