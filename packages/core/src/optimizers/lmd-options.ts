import type { LmdRegularizer, LmdUpdateOptions } from '../backend.js';
import { LmdError } from '../errors.js';
import { type LmdInitialization, lmdInitializations } from './lmd-prior.js';
import { type LmdStateFormat, type LmdStateFormatName, lmdStateFormat, lmdStateFormats } from './lmd-state-format.js';
import type { Schedule, WeightsKind } from './optimizer.js';
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  describe,
  learningRateOption,
  numberOption,
  weightsKindOption,
} from './options.js';

/** The priors that LMD's regularization can pull toward. Which one is a choice of ours; see `LmdOptions.regularizer`. */
export const lmdRegularizers = [
  'logNormalPrior',
  'powerPrior',
  'exponentialPrior',
  'halfNormalPrior',
] as const satisfies readonly LmdRegularizer[];

/**
 * Options of `lmd`. The defaults of a, λ, σ and c are those at which it was best on validation data in our study of a small Vision
 * Transformer (docs/studies), rounded; none is the paper's, and another task wants a search of its own, of a and λ first.
 */
export interface LmdOptions {
  /** a: the size of a step in log m, or a schedule of it. At least 0; default 7e-3, so a median moves by 0.7 % a step. */
  readonly learningRate?: number | Schedule;
  /** β₁: how much of the momentum the temporary momentum, whose sign is the step, keeps. In [0, 1); default 0.9. */
  readonly beta1?: number;
  /** β₂: decay of the stored momentum. In [0, 1); default 0.99. */
  readonly beta2?: number;
  /** λ: strength of the pull toward the prior. At least 0; default 0.7. With the log-normal prior |log(m/m₀)| stays below 1/λ. */
  readonly regularization?: number;
  /**
   * R, by its prior. A choice of ours; the paper's prior could not be read.
   * - `logNormalPrior` (default): R = log(m/m₀), the gradient in log m of the divergence from a log-normal prior.
   * - `powerPrior`: R = 1, a constant pull toward 0, as of a power law.
   * - `exponentialPrior`: R = m/m₀.
   * - `halfNormalPrior`: R = (m/m₀)².
   */
  readonly regularizer?: LmdRegularizer;
  /** σ: standard deviation of log θ around log m. At least 0, where 0 draws the medians; default 0.025. */
  readonly noise?: number;
  /** S: draws, and so forward and backward passes, a step; their gradients are averaged. At least 1; default 1. */
  readonly samples?: number;
  /**
   * `sample` (default): the gradient in log m, which is g times the drawn half θ. `none`: g itself, a choice of ours; then one
   * momentum serves both halves, and the state is three vectors a weight, as Adam's is with its weight.
   */
  readonly gradientScaling?: 'sample' | 'none';
  /** Whether the temporary momentum moves log m by its sign (default true) or by its value. Without sign is a choice of ours. */
  readonly useSign?: boolean;
  /**
   * c: each half starts at no less than c times the root mean square of the initial weights, since a half that starts at 0
   * could never leave it. Above 0; default 0.4. A choice of ours.
   */
  readonly priorMedianFloor?: number;
  /**
   * How an initial weight w₀ becomes two halves whose mean difference is w₀, with f = c·s. Choices of ours.
   * - `floor` (default): exp(−σ²/2)·(max(±w₀, 0) + f); one half begins at the prior's median.
   * - `hypentropy`: exp(−σ²/2)·(√(w₀² + 4f²) ± w₀)/2, whose product is the same for every weight, so that both halves are equally
   *   far from the prior's median in log m (Ghai, Hazan & Singer, arXiv:1902.01903, for the geometry).
   */
  readonly initialization?: LmdInitialization;
  /**
   * m₀, the prior's median, for all weights or by the weight's name. Above 0; by default exp(−σ²/2)·c·s, where an initial half
   * without its weight begins: a prior about weight 0. With `initialWeights`, for fine-tuning, each half's own initial median:
   * a prior about the weights that `init` was given, at the price of one more vector a weight (`priorWeight`); it needs the
   * regularizer `logNormalPrior`. None of them changes where the weights start. A choice of ours.
   */
  readonly priorMedian?: number | { readonly [weight: string]: number } | 'initialWeights';
  /** Which weights `weights()` gives when not told: `mean` (default), `median` or `sample`. A choice of ours. */
  readonly evaluation?: WeightsKind;
  /** How many draws `weights(…, 'sample')` averages. At least 1; default 1. */
  readonly evaluationSamples?: number;
  /**
   * How the state is stored between steps; computation is in f32. A weight takes
   * - `f32` (default): 16 bytes, for two medians and two momenta; 12 with `gradientScaling: 'none'`.
   * - `block16`: 8.1 bytes. Codes of 16 bits for log (m/m₀) and of 8 for momenta, with a scale for each block of 128.
   * - `block8`: 4.1 bytes, with `gradientScaling: 'none'` alone. Codes of 8 bits for all three vectors.
   *
   * Rounding is stochastic, by the noise of (seed, `<weight>/<vector>`, step), so that a step smaller than the spacing of codes
   * is made on average and a resumed run has the same bits. A choice of ours.
   */
  readonly stateFormat?: LmdStateFormatName;
}

/** The numbers that `lmd` takes where none is given; what they rest on stands in `LmdOptions`. */
export const lmdDefaults = {
  learningRate: 7e-3,
  beta1: 0.9,
  beta2: 0.99,
  regularization: 0.7,
  noise: 0.025,
  priorMedianFloor: 0.4,
} as const satisfies LmdOptions;

const optionNames = [
  'learningRate',
  'beta1',
  'beta2',
  'regularization',
  'regularizer',
  'noise',
  'samples',
  'gradientScaling',
  'useSign',
  'priorMedianFloor',
  'initialization',
  'priorMedian',
  'evaluation',
  'evaluationSamples',
  'stateFormat',
] as const satisfies readonly (keyof LmdOptions)[];

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
  checkOptionNames('lmd', options, optionNames);
  const regularizer = choiceOption('lmd', 'regularizer', options.regularizer, 'logNormalPrior', lmdRegularizers);
  const scalings = ['sample', 'none'] as const;
  const gradientScaling = choiceOption('lmd', 'gradientScaling', options.gradientScaling, 'sample', scalings);
  const stateFormat = choiceOption('lmd', 'stateFormat', options.stateFormat, 'f32', lmdStateFormats);
  return {
    learningRate: learningRateOption('lmd', options.learningRate, lmdDefaults.learningRate),
    update: {
      beta1: numberOption('lmd', 'beta1', options.beta1, lmdDefaults.beta1, { atLeast: 0, below: 1 }),
      beta2: numberOption('lmd', 'beta2', options.beta2, lmdDefaults.beta2, { atLeast: 0, below: 1 }),
      regularization: numberOption('lmd', 'regularization', options.regularization, lmdDefaults.regularization, {
        atLeast: 0,
      }),
      regularizer,
      // exp(σ²/2) appears in the initial weights and in the mean: beyond 10 it leaves the range of f32.
      noise: numberOption('lmd', 'noise', options.noise, lmdDefaults.noise, { atLeast: 0, atMost: 10 }),
      gradientScaling,
      useSign: booleanOption('lmd', 'useSign', options.useSign, true),
    },
    samples: numberOption('lmd', 'samples', options.samples, 1, { atLeast: 1, integer: true }),
    priorMedianFloor: numberOption('lmd', 'priorMedianFloor', options.priorMedianFloor, lmdDefaults.priorMedianFloor, {
      above: 0,
    }),
    initialization: choiceOption('lmd', 'initialization', options.initialization, 'floor', lmdInitializations),
    priorMedian: priorMedianOption(options.priorMedian, regularizer),
    evaluation: weightsKindOption('lmd', 'evaluation', options.evaluation, 'mean'),
    evaluationSamples: numberOption('lmd', 'evaluationSamples', options.evaluationSamples, 1, {
      atLeast: 1,
      integer: true,
    }),
    stateFormat: lmdStateFormat(stateFormat, gradientScaling),
  };
}

function priorMedianOption(value: LmdOptions['priorMedian'], regularizer: LmdRegularizer): LmdOptions['priorMedian'] {
  if (value === undefined) return undefined;
  if (value === 'initialWeights') {
    if (regularizer === 'logNormalPrior') return value;
    throw new LmdError(
      'INVALID_ARGUMENT',
      `lmd: priorMedian is "initialWeights" with the regularizer "${regularizer}".`,
      {
        subject: 'priorMedian',
        value,
        remedy: 'Use the regularizer "logNormalPrior", or one median for a whole weight.',
      },
    );
  }
  if (typeof value === 'number') return numberOption('lmd', 'priorMedian', value, Number.NaN, { above: 0 });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LmdError('INVALID_ARGUMENT', `lmd: priorMedian is ${describe(value)}.`, {
      subject: 'priorMedian',
      value,
      remedy: 'Give a number above 0, a record of such numbers by the name of the weight, or "initialWeights".',
    });
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, median]) => [
      name,
      numberOption('lmd', `priorMedian["${name}"]`, median ?? Number.NaN, Number.NaN, { above: 0 }),
    ]),
  );
}
