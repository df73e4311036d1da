import { LmdError } from '../errors.js';
import type { LmdRegularizer, LmdUpdateOptions } from '../optimizer-kernels.js';
import { boolean, choice, either, integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { defaultsOf, resolveOptions } from '../options/resolve.js';
import type { Schedule } from '../options/schedule.js';
import { type LmdInitialization, lmdInitializations } from './lmd-prior.js';
import { type LmdStateFormat, lmdStateFormat, lmdStateFormats } from './lmd-state-format.js';
import { type WeightsKind, weightsKinds } from './optimizer.js';

/** The priors that LMD's regularization can pull toward. Which one is a choice of ours; see `LmdOptions.regularizer`. */
export const lmdRegularizers = [
  'logNormalPrior',
  'powerPrior',
  'exponentialPrior',
  'halfNormalPrior',
] as const satisfies readonly LmdRegularizer[];

/** The options of `lmd`, declared once. */
export const lmdOptionTable = {
  /**
   * a: step size in log m; with 0.007 a median moves by 0.7 % a step. A number or a schedule, at least 0; default
   * 0.007.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 7e-3,
    describe: 'a: step size in log m; with 0.007 a median moves by 0.7 % a step.',
  }),
  /**
   * β₁: how much of the momentum the temporary momentum, whose sign is the step, keeps. At least 0 and below 1; default
   * 0.9.
   */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: how much of the momentum the temporary momentum, whose sign is the step, keeps.',
  }),
  /** β₂: decay of the stored momentum. At least 0 and below 1; default 0.99. */
  beta2: number({ atLeast: 0, below: 1, default: 0.99, describe: 'β₂: decay of the stored momentum.' }),
  /**
   * λ: strength of the pull toward the prior. With the log-normal prior |log(m/m₀)| stays below 1/λ. At least 0;
   * default 0.7.
   */
  regularization: number({
    atLeast: 0,
    default: 0.7,
    describe: 'λ: strength of the pull toward the prior. With the log-normal prior |log(m/m₀)| stays below 1/λ.',
  }),
  /**
   * R, by its prior; a choice of ours, since the paper's prior could not be read. `logNormalPrior`: R = log(m/m₀), the
   * gradient in log m of the divergence from a log-normal prior. `powerPrior`: R = 1, a constant pull toward 0, as of a
   * power law. `exponentialPrior`: R = m/m₀. `halfNormalPrior`: R = (m/m₀)². `logNormalPrior`, `powerPrior`,
   * `exponentialPrior` or `halfNormalPrior`; default `logNormalPrior`.
   */
  regularizer: choice(lmdRegularizers, {
    default: 'logNormalPrior',
    describe:
      "R, by its prior; a choice of ours, since the paper's prior could not be read. `logNormalPrior`: R = log(m/m₀), the gradient in log m of the divergence from a log-normal prior. `powerPrior`: R = 1, a constant pull toward 0, as of a power law. `exponentialPrior`: R = m/m₀. `halfNormalPrior`: R = (m/m₀)².",
  }),
  // exp(σ²/2) appears in the initial weights and in the mean: beyond 10 it leaves the range of f32.
  /** σ: standard deviation of log θ around log m; 0 draws the medians. At least 0 and at most 10; default 0.025. */
  noise: number({
    atLeast: 0,
    atMost: 10,
    default: 0.025,
    describe: 'σ: standard deviation of log θ around log m; 0 draws the medians.',
  }),
  /**
   * S: draws, and so forward and backward passes, a step; their gradients are averaged. A whole number, at least 1;
   * default 1.
   */
  samples: integer({
    atLeast: 1,
    default: 1,
    describe: 'S: draws, and so forward and backward passes, a step; their gradients are averaged.',
  }),
  /**
   * `sample`: the gradient in log m, which is g times the drawn half θ. `none`: g itself, a choice of ours; then one
   * momentum serves both halves, and the state is three vectors a weight, as that of Adam with its weight. `sample` or
   * `none`; default `sample`.
   */
  gradientScaling: choice(['sample', 'none'], {
    default: 'sample',
    describe:
      '`sample`: the gradient in log m, which is g times the drawn half θ. `none`: g itself, a choice of ours; then one momentum serves both halves, and the state is three vectors a weight, as that of Adam with its weight.',
  }),
  /**
   * Whether the temporary momentum moves log m by its sign or by its value. Without sign is a choice of ours. True or
   * false; default true.
   */
  useSign: boolean({
    default: true,
    describe:
      'Whether the temporary momentum moves log m by its sign or by its value. Without sign is a choice of ours.',
  }),
  /**
   * c: each half starts at no less than c times the root mean square s of the initial weights, since a half that starts
   * at 0 could never leave it. A choice of ours. Above 0; default 0.4.
   */
  priorMedianFloor: number({
    above: 0,
    default: 0.4,
    describe:
      'c: each half starts at no less than c times the root mean square s of the initial weights, since a half that starts at 0 could never leave it. A choice of ours.',
  }),
  /**
   * How an initial weight w₀ becomes two halves whose mean difference is w₀, with f = c·s; choices of ours. `floor`:
   * exp(−σ²/2)·(max(±w₀, 0) + f); one half begins at the median of the prior. `hypentropy`: exp(−σ²/2)·(√(w₀² + 4f²) ±
   * w₀)/2, whose product is the same for every weight, so that both halves are equally far from the median of the prior
   * in log m (Ghai, Hazan & Singer, arXiv:1902.01903, for the geometry). `floor` or `hypentropy`; default `floor`.
   */
  initialization: choice(lmdInitializations, {
    default: 'floor',
    describe:
      'How an initial weight w₀ becomes two halves whose mean difference is w₀, with f = c·s; choices of ours. `floor`: exp(−σ²/2)·(max(±w₀, 0) + f); one half begins at the median of the prior. `hypentropy`: exp(−σ²/2)·(√(w₀² + 4f²) ± w₀)/2, whose product is the same for every weight, so that both halves are equally far from the median of the prior in log m (Ghai, Hazan & Singer, arXiv:1902.01903, for the geometry).',
  }),
  /**
   * m₀, the median of the prior, for all weights or by the name of the weight; by default exp(−σ²/2)·c·s, a prior about
   * weight 0. With `initialWeights`, for fine-tuning, the initial median of each half: a prior about the weights that
   * training starts from, which stores one more vector a weight and needs the regularizer `logNormalPrior`. None of
   * them changes where the weights start. A choice of ours. A number above 0, `initialWeights` or numbers above 0 by
   * the name of the weight.
   */
  priorMedian: either(
    [
      { kind: 'number', range: { above: 0 } },
      { kind: 'choice', choices: ['initialWeights'] },
      { kind: 'record', range: { above: 0 }, by: 'weight' },
    ],
    {
      describe:
        'm₀, the median of the prior, for all weights or by the name of the weight; by default exp(−σ²/2)·c·s, a prior about weight 0. With `initialWeights`, for fine-tuning, the initial median of each half: a prior about the weights that training starts from, which stores one more vector a weight and needs the regularizer `logNormalPrior`. None of them changes where the weights start. A choice of ours.',
    },
  ),
  /** Which weights `weights()` gives when not told. A choice of ours. `mean`, `median` or `sample`; default `mean`. */
  evaluation: choice(weightsKinds, {
    default: 'mean',
    describe: 'Which weights `weights()` gives when not told. A choice of ours.',
  }),
  /** How many draws `weights(…, 'sample')` averages. A whole number, at least 1; default 1. */
  evaluationSamples: integer({
    atLeast: 1,
    default: 1,
    describe: "How many draws `weights(…, 'sample')` averages.",
  }),
  /**
   * How the state is stored between steps; computation is in f32. `f32`: 16 bytes a weight, for two medians and two
   * momenta; 12 with `gradientScaling` `none`. `block16`: 8.1 bytes; codes of 16 bits for log (m/m₀) and of 8 for
   * momenta, with a scale for each block of 128. `block8`: 4.1 bytes, with `gradientScaling` `none` alone; codes of 8
   * bits for all three vectors. Rounding is stochastic, by the noise of (seed, `<weight>/<vector>`, step), so that a
   * step smaller than the spacing of codes is made on average and a resumed run has the same bits. A choice of ours.
   * `f32`, `block16` or `block8`; default `f32`.
   */
  stateFormat: choice(lmdStateFormats, {
    default: 'f32',
    describe:
      'How the state is stored between steps; computation is in f32. `f32`: 16 bytes a weight, for two medians and two momenta; 12 with `gradientScaling` `none`. `block16`: 8.1 bytes; codes of 16 bits for log (m/m₀) and of 8 for momenta, with a scale for each block of 128. `block8`: 4.1 bytes, with `gradientScaling` `none` alone; codes of 8 bits for all three vectors. Rounding is stochastic, by the noise of (seed, `<weight>/<vector>`, step), so that a step smaller than the spacing of codes is made on average and a resumed run has the same bits. A choice of ours.',
  }),
} as const satisfies OptionTable;

/**
 * Options of `lmd`. The defaults of a, λ, σ and c are those at which it was best on validation data in our study of a small Vision
 * Transformer (docs/studies), rounded; none is the paper's, and another task wants a search of its own, of a and λ first.
 */
export interface LmdOptions extends OptionsOf<typeof lmdOptionTable> {}

/** What `lmd` takes where an option is not given; what the numbers rest on stands in `LmdOptions`. */
export const lmdDefaults = defaultsOf(lmdOptionTable);

export interface ResolvedLmdOptions {
  readonly learningRate: Schedule;
  /** Everything that an update needs but the learning rate of its step. */
  readonly update: Omit<LmdUpdateOptions, 'learningRate'>;
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
  const { beta1, beta2, regularization, regularizer, noise, gradientScaling, useSign, priorMedian, ...resolved } =
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
    update: { beta1, beta2, regularization, regularizer, noise, gradientScaling, useSign },
    stateFormat: lmdStateFormat(resolved.stateFormat, gradientScaling),
  };
}
