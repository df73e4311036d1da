import { LmdError } from '../errors.js';
import { boolean, choice, either, integer, number, schedule, scheduledNumber } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { defaultsOf, resolveOptions } from '../options/resolve.js';
import type { Schedule } from '../options/schedule.js';
import { type LmdInitialization, lmdInitializations } from './lmd-prior.js';
import { lmdDivergences, lmdRegularizers } from './lmd-regularizers.js';
import { type LmdStateFormat, lmdStateFormat, lmdStateFormats } from './lmd-state-format.js';
import type { LmdStepOptions } from './lmd-step.js';
import { type WeightsKind, weightsKinds } from './optimizer.js';

/** The options of `lmd`, declared once. */
export const lmdOptionTable = {
  /**
   * a: learning rate in log m; with 0.007, a median changes by 0.7 % per step. A number or a schedule, at least 0;
   * default 0.007.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 7e-3,
    describe: 'a: learning rate in log m; with 0.007, a median changes by 0.7 % per step.',
  }),
  /**
   * β₁: weight of the stored momentum in the temporary momentum, whose sign is the direction of the step. At least 0
   * and below 1; default 0.9.
   */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: weight of the stored momentum in the temporary momentum, whose sign is the direction of the step.',
  }),
  /** β₂: decay rate of the stored momentum. At least 0 and below 1; default 0.99. */
  beta2: number({ atLeast: 0, below: 1, default: 0.99, describe: 'β₂: decay rate of the stored momentum.' }),
  /**
   * λ: strength of the regularization toward the prior. With the log-normal prior, |log(m/m₀)| stays below 1/λ. A
   * number or a schedule, at least 0; default 0.7.
   */
  regularization: scheduledNumber({
    atLeast: 0,
    default: 0.7,
    describe:
      'λ: strength of the regularization toward the prior. With the log-normal prior, |log(m/m₀)| stays below 1/λ.',
  }),
  /**
   * Regularizer R, named by its prior. Our choice, since the paper's prior could not be read. `logNormalPrior`: R =
   * log(m/m₀), the gradient with respect to log m of the divergence from a log-normal prior. `powerPrior`: R = 1, a
   * constant pull toward 0, as with a power law. `exponentialPrior`: R = m/m₀. `halfNormalPrior`: R = (m/m₀)².
   * `exponentialDivergence` and `halfNormalDivergence`: with the entropy, the gradients of the divergences from these
   * two priors, R = exp(σ²/2)·m/m₀ − 1 and R = exp(2σ²)·(m/m₀)² − 1, which pull toward about m₀ instead of 0.
   * `logNormalPrior`, `powerPrior`, `exponentialPrior`, `halfNormalPrior`, `exponentialDivergence` or
   * `halfNormalDivergence`; default `logNormalPrior`.
   */
  regularizer: choice([...lmdRegularizers, ...lmdDivergences], {
    default: 'logNormalPrior',
    describe:
      "Regularizer R, named by its prior. Our choice, since the paper's prior could not be read. " +
      '`logNormalPrior`: R = log(m/m₀), the gradient with respect to log m of the divergence from a log-normal ' +
      'prior. `powerPrior`: R = 1, a constant pull toward 0, as with a power law. `exponentialPrior`: R = m/m₀. ' +
      '`halfNormalPrior`: R = (m/m₀)². `exponentialDivergence` and `halfNormalDivergence`: with the entropy, ' +
      'the gradients of the divergences from these two priors, R = exp(σ²/2)·m/m₀ − 1 and R = exp(2σ²)·(m/m₀)² − 1, ' +
      'which pull toward about m₀ instead of 0.',
  }),
  /**
   * Where R is evaluated. `median`: at the median m of each half. `sample` (our choice): at the sampled half θ,
   * averaged over the posterior samples of the step; for the divergences θ/m₀ − 1 and (θ/m₀)² − 1, whose means are
   * those above. `median` or `sample`; default `median`.
   */
  regularizerAt: choice(['median', 'sample'], {
    default: 'median',
    describe:
      'Where R is evaluated. `median`: at the median m of each half. `sample` (our choice): at the sampled half θ, ' +
      'averaged over the posterior samples of the step; for the divergences θ/m₀ − 1 and (θ/m₀)² − 1, whose means are ' +
      'those above.',
  }),
  // exp(σ²/2) appears in the initial weights and in the mean: beyond 10 it leaves the range of f32.
  /**
   * σ: standard deviation of log θ around log m; with 0, samples equal the medians. A number or a schedule, at least 0
   * and at most 10; default 0.025.
   */
  noise: scheduledNumber({
    atLeast: 0,
    atMost: 10,
    default: 0.025,
    describe: 'σ: standard deviation of log θ around log m; with 0, samples equal the medians.',
  }),
  /**
   * S: number of posterior samples per step, each with one forward and one backward pass; their gradients are averaged.
   * A whole number, at least 1; default 1.
   */
  samples: integer({
    atLeast: 1,
    default: 1,
    describe:
      'S: number of posterior samples per step, each with one forward and one backward pass; their gradients are ' +
      'averaged.',
  }),
  /**
   * `sample`: the gradient with respect to log m, which is g times the sampled half θ. `none` (our choice): g itself;
   * both halves then share one momentum, and the state has three vectors per weight, as many as Adam with its weight.
   * `sample` or `none`; default `sample`.
   */
  gradientScaling: choice(['sample', 'none'], {
    default: 'sample',
    describe:
      '`sample`: the gradient with respect to log m, which is g times the sampled half θ. `none` (our choice): g ' +
      'itself; both halves then share one momentum, and the state has three vectors per weight, as many as Adam ' +
      'with its weight.',
  }),
  /**
   * Whether the step of log m is the sign of the temporary momentum; if false (our choice), it is its value. True or
   * false; default true.
   */
  useSign: boolean({
    default: true,
    describe:
      'Whether the step of log m is the sign of the temporary momentum; if false (our choice), it is its value.',
  }),
  /**
   * c: each half starts at c·s or more, where s is the root mean square of the initial weights; a half that starts at 0
   * would stay there. Our choice. Above 0; default 0.4.
   */
  priorMedianFloor: number({
    above: 0,
    default: 0.4,
    describe:
      'c: each half starts at c·s or more, where s is the root mean square of the initial weights; a half that ' +
      'starts at 0 would stay there. Our choice.',
  }),
  /**
   * How an initial weight w₀ is split into two halves whose mean difference is w₀, with f = c·s. Our choices. `floor`:
   * exp(−σ²/2)·(max(±w₀, 0) + f); one half starts at the median of the prior. `hypentropy`: exp(−σ²/2)·(√(w₀² + 4f²) ±
   * w₀)/2; the product of the halves is the same for every weight, so that both are equally far from the median of the
   * prior in log m (geometry of Ghai, Hazan & Singer, arXiv:1902.01903). `floor` or `hypentropy`; default `floor`.
   */
  initialization: choice(lmdInitializations, {
    default: 'floor',
    describe:
      'How an initial weight w₀ is split into two halves whose mean difference is w₀, with f = c·s. Our choices. ' +
      '`floor`: exp(−σ²/2)·(max(±w₀, 0) + f); one half starts at the median of the prior. `hypentropy`: ' +
      'exp(−σ²/2)·(√(w₀² + 4f²) ± w₀)/2; the product of the halves is the same for every weight, so that both ' +
      'are equally far from the median of the prior in log m (geometry of Ghai, Hazan & Singer, ' +
      'arXiv:1902.01903).',
  }),
  /**
   * m₀, the median of the prior: one number for all weights, or numbers by weight name. Default: exp(−σ²/2)·c·s, a
   * prior centred at weight 0. `initialWeights`, for fine-tuning: the initial median of each half, a prior centred at
   * the initial weights; it stores one more vector per weight and requires the regularizer `logNormalPrior`. The
   * initial weights are the same in all cases. Our choice. A number above 0, `initialWeights` or numbers above 0 by the
   * name of the weight.
   */
  priorMedian: either(
    [
      { kind: 'number', range: { above: 0 } },
      { kind: 'choice', choices: ['initialWeights'] },
      { kind: 'record', range: { above: 0 }, by: 'weight' },
    ],
    {
      describe:
        'm₀, the median of the prior: one number for all weights, or numbers by weight name. Default: ' +
        'exp(−σ²/2)·c·s, a prior centred at weight 0. `initialWeights`, for fine-tuning: the initial median of ' +
        'each half, a prior centred at the initial weights; it stores one more vector per weight and requires ' +
        'the regularizer `logNormalPrior`. The initial weights are the same in all cases. Our choice.',
    },
  ),
  /** Weights that `weights()` returns by default. Our choice. `mean`, `median` or `sample`; default `mean`. */
  evaluation: choice(weightsKinds, {
    default: 'mean',
    describe: 'Weights that `weights()` returns by default. Our choice.',
  }),
  /** Number of posterior samples that `weights(…, 'sample')` averages. A whole number, at least 1; default 1. */
  evaluationSamples: integer({
    atLeast: 1,
    default: 1,
    describe: "Number of posterior samples that `weights(…, 'sample')` averages.",
  }),
  /**
   * Format in which the state is stored between steps; computation is in f32. `f32`: 16 bytes per weight, for two
   * medians and two momenta; 12 with `gradientScaling` `none`. `block16`: 8.1 bytes per weight: 16-bit codes for log
   * (m/m₀) and 8-bit codes for momenta, with one scale per block of 128. `block8`: 4.1 bytes per weight: 8-bit codes
   * for all three vectors; requires `gradientScaling` `none`. Rounding is stochastic, with noise determined by (seed,
   * `<weight>/<vector>`, step): a step smaller than the spacing of the codes is taken on average, and a resumed run is
   * bit-identical. Our choice. `f32`, `block16` or `block8`; default `f32`.
   */
  stateFormat: choice(lmdStateFormats, {
    default: 'f32',
    describe:
      'Format in which the state is stored between steps; computation is in f32. `f32`: 16 bytes per weight, for ' +
      'two medians and two momenta; 12 with `gradientScaling` `none`. `block16`: 8.1 bytes per weight: 16-bit ' +
      'codes for log (m/m₀) and 8-bit codes for momenta, with one scale per block of 128. `block8`: 4.1 bytes ' +
      'per weight: 8-bit codes for all three vectors; requires `gradientScaling` `none`. Rounding is stochastic, ' +
      'with noise determined by (seed, `<weight>/<vector>`, step): a step smaller than the spacing of the codes ' +
      'is taken on average, and a resumed run is bit-identical. Our choice.',
  }),
} as const satisfies OptionTable;

/**
 * Options of `lmd`. The defaults of a, λ, σ and c are the rounded values with the best validation results in our study
 * of a small Vision Transformer (docs/studies); none is from the paper. Other tasks need their own search, first of a
 * and λ.
 */
export interface LmdOptions extends OptionsOf<typeof lmdOptionTable> {}

/** What `lmd` takes where an option is not given; what the numbers rest on stands in `LmdOptions`. */
export const lmdDefaults = defaultsOf(lmdOptionTable);

export interface ResolvedLmdOptions {
  readonly learningRate: Schedule;
  readonly regularization: Schedule;
  readonly noise: Schedule;
  /** Everything that an update needs but what depends on its step. */
  readonly update: LmdStepOptions;
  readonly samples: number;
  readonly priorMedianFloor: number;
  readonly initialization: LmdInitialization;
  readonly priorMedian: LmdOptions['priorMedian'];
  readonly evaluation: WeightsKind;
  readonly evaluationSamples: number;
  readonly stateFormat: LmdStateFormat;
}

/** Every option checked, by name and value, and every default filled in. */
export function resolveLmdOptions(options: LmdOptions): ResolvedLmdOptions {
  const { beta1, beta2, regularizer, regularizerAt, gradientScaling, useSign, priorMedian, ...resolved } =
    resolveOptions('lmd', lmdOptionTable, options);
  if (priorMedian === 'initialWeights' && regularizer !== 'logNormalPrior') {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `lmd: priorMedian is "initialWeights" with the regularizer "${regularizer}".`,
      {
        subject: 'priorMedian',
        value: priorMedian,
        remedy: 'Use the regularizer "logNormalPrior", or one median for a whole weight.',
      },
    );
  }
  return {
    ...resolved,
    priorMedian,
    update: { beta1, beta2, regularizer, regularizerAt, gradientScaling, useSign },
    stateFormat: lmdStateFormat(resolved.stateFormat, gradientScaling),
  };
}
