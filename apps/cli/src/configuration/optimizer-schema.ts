import { lmdDefaults, lmdRegularizers } from '@lmd/core';
import { z } from 'zod';
import { precisionSchema } from './precision-schema.js';

const fraction = z.number().min(0).lt(1);
const nonNegative = z.number().min(0);
const positive = z.number().gt(0);

export const scheduleSchema = z.strictObject({
  kind: z
    .enum(['constant', 'linear', 'cosine'])
    .default('cosine')
    .describe('How the learning rate goes on after warm-up.'),
  warmup: z.int().min(0).max(1e9).default(0).describe('Steps of linear rise to the learning rate.'),
  final: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('The learning rate of the last step, as a fraction of the learning rate. Unused by `constant`.'),
});

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is no name: use letters, digits, dots, dashes and underscores.')
  .refine((value) => !value.endsWith('.'), 'is no name: it ends with a dot.')
  .describe('Names the folder of its results; unique in the list.');

const schedule = scheduleSchema.prefault({}).describe('Schedule of the learning rate.');

const clipNorm = positive.optional().describe('Clips the gradient by its global norm; no clipping when absent.');

const adamwHyperparameters = {
  learningRate: nonNegative.default(1e-3).describe('Step size.'),
  beta1: fraction.default(0.9).describe('Decay of the average of gradients.'),
  beta2: fraction.default(0.999).describe('Decay of the average of squared gradients.'),
  epsilon: positive.default(1e-8).describe('Added to the root of the second moment.'),
  weightDecay: nonNegative.default(0.01).describe('Decoupled weight decay.'),
};

const precision = precisionSchema
  .optional()
  .describe("Format of the forward pass for this rule alone; by default the run's.");

/** What every rule of the list has beside its own hyper-parameters. */
const common = { name, precision, schedule, clipNorm };

/** AdamW beside a rule that suits matrices alone: what begins at a constant has no spread to scale by. */
const rest = z
  .strictObject(adamwHyperparameters)
  .prefault({})
  .describe('AdamW for biases, norm gains, tokens and position embeddings, under the same schedule.');

const samples = z.int().min(1).max(1000).default(1).describe('Draws, and so forward and backward passes, a step.');
const momentum = fraction.default(0.9).describe('Decay of the average of gradients.');
const floor = positive.default(0.5).describe('c: floor of the initial halves, in units of the initial deviation.');

export const adamwSchema = z.strictObject({
  rule: z.literal('adamw').describe('AdamW for all weights.'),
  ...adamwHyperparameters,
  ...common,
});

export const lmdSchema = z.strictObject({
  rule: z.literal('lmd').describe('LMD for matrices, AdamW for all other weights.'),
  learningRate: nonNegative.default(lmdDefaults.learningRate).describe('Step size in log m.'),
  beta1: fraction.default(lmdDefaults.beta1).describe('What the temporary momentum keeps of the momentum.'),
  beta2: fraction.default(lmdDefaults.beta2).describe('Decay of the momentum.'),
  regularization: nonNegative.default(lmdDefaults.regularization).describe('λ: pull toward the prior.'),
  regularizer: z.enum(lmdRegularizers).default('logNormalPrior').describe('The prior.'),
  noise: z.number().min(0).max(10).default(lmdDefaults.noise).describe('σ: standard deviation of log θ around log m.'),
  samples,
  gradientScaling: z
    .enum(['sample', 'none'])
    .default('sample')
    .describe('Whether gradients are scaled by the drawn weight.'),
  useSign: z.boolean().default(true).describe('Whether the temporary momentum moves log m by its sign.'),
  priorMedianFloor: floor.default(lmdDefaults.priorMedianFloor),
  initialization: z
    .enum(['floor', 'hypentropy'])
    .default('floor')
    .describe('How an initial weight becomes two halves; see `lmd` of @lmd/core.'),
  priorMedian: z
    .union([positive, z.literal('initialWeights')], 'is not allowed. Allowed: a number above 0, or initialWeights.')
    .optional()
    .describe(
      "The prior's median m₀, or `initialWeights` for a prior about the weights that the run starts from, to fine-tune; by default one about weight 0.",
    ),
  stateFormat: z
    .enum(['f32', 'block16', 'block8'])
    .default('f32')
    .describe('How the state is stored between steps; `block8` needs `gradientScaling` `none`.'),
  rest,
  ...common,
});

export const lionSchema = z.strictObject({
  rule: z.literal('lion').describe('Lion for all weights.'),
  learningRate: nonNegative.default(1e-4).describe('Step size of every coordinate.'),
  beta1: fraction.default(0.9).describe('What the step keeps of the momentum.'),
  beta2: fraction.default(0.99).describe('Decay of the momentum.'),
  weightDecay: nonNegative.default(0).describe('Decoupled weight decay.'),
  ...common,
});

export const sgdSchema = z.strictObject({
  rule: z.literal('sgd').describe('Stochastic gradient descent for all weights.'),
  learningRate: nonNegative.default(0.01).describe('Step size.'),
  momentum: fraction.default(0.9).describe('What each step keeps of the velocity.'),
  nesterov: z.boolean().default(false).describe("Nesterov's look-ahead; needs momentum."),
  weightDecay: nonNegative.default(0).describe('Decoupled weight decay.'),
  ...common,
});

export const madamSchema = z.strictObject({
  rule: z.literal('madam').describe('Madam for matrices, AdamW for all other weights.'),
  learningRate: nonNegative.default(0.01).describe('Step size in log |w|.'),
  beta: fraction.default(0.999).describe('Decay of the average of squared gradients.'),
  gradientBound: positive.default(10).describe('Largest normalised gradient.'),
  weightBound: positive.default(3).describe('Bound of |w|, in units of the initial root mean square.'),
  rest,
  ...common,
});

export const exponentiatedGradientSchema = z.strictObject({
  rule: z.literal('exponentiatedGradient').describe('EG± for matrices, AdamW for all other weights.'),
  learningRate: nonNegative.default(0.1).describe('Step size in log m±.'),
  normalize: z.boolean().default(false).describe("Whether each tensor's total is held at its initial value."),
  floor,
  rest,
  ...common,
});

export const lieGroupAdditiveSchema = z.strictObject({
  rule: z.literal('lieGroupAdditive').describe('The additive Lie-group rule for all weights.'),
  learningRate: nonNegative.default(0.05).describe('Step size.'),
  momentum,
  noise: nonNegative.default(1e-3).describe('Standard deviation of a drawn weight.'),
  samples,
  ...common,
});

export const lieGroupMultiplicativeSchema = z.strictObject({
  rule: z
    .literal('lieGroupMultiplicative')
    .describe('The multiplicative Lie-group rule (Rayleigh noise) for matrices, AdamW for all other weights.'),
  learningRate: nonNegative.default(1).describe('Step size in log g±.'),
  momentum,
  temperature: nonNegative.default(1e-4).describe('Weight of the entropy against the loss.'),
  samples,
  floor,
  rest,
  ...common,
});

export const lieGroupAffineSchema = z.strictObject({
  rule: z.literal('lieGroupAffine').describe('The affine Lie-group rule for all weights.'),
  learningRate: nonNegative.default(10).describe("Step size of the location, in the scale's units."),
  scaleLearningRate: nonNegative.optional().describe('Step size of the log scale; by default the learning rate.'),
  momentum,
  temperature: nonNegative.default(1e-3).describe('Weight of the entropy against the loss.'),
  initialScale: positive.default(0.03).describe('Scale of every weight at the start.'),
  samples,
  ...common,
});

export const ivonSchema = z.strictObject({
  rule: z.literal('ivon').describe('IVON, variational online Newton, for all weights.'),
  effectiveSampleSize: positive.describe('λ: usually the number of training examples.'),
  learningRate: nonNegative.default(0.1).describe('Step size.'),
  beta1: fraction.default(0.9).describe('Decay of the average of gradients.'),
  beta2: fraction.default(0.99999).describe('Decay of the estimate of the Hessian.'),
  weightDecay: positive.default(1e-4).describe('Precision of the prior divided by λ.'),
  initialHessian: positive.default(1).describe('Estimate of the Hessian at the start; sets the first noise.'),
  rescaleLearningRate: z
    .boolean()
    .default(true)
    .describe('Whether learning rates count in units of the first Hessian.'),
  clipRadius: positive.optional().describe('Bound of each coordinate of the step; none when absent.'),
  samples,
  ...common,
});

export const optimizerSchema = z.discriminatedUnion('rule', [
  lmdSchema,
  adamwSchema,
  lionSchema,
  sgdSchema,
  madamSchema,
  exponentiatedGradientSchema,
  lieGroupAdditiveSchema,
  lieGroupMultiplicativeSchema,
  lieGroupAffineSchema,
  ivonSchema,
]);

export type OptimizerConfiguration = z.output<typeof optimizerSchema>;
export type LmdConfiguration = z.output<typeof lmdSchema>;
export type ScheduleConfiguration = z.output<typeof scheduleSchema>;
