import { lmdRegularizers } from '@lmd/core';
import { z } from 'zod';

const fraction = z.number().min(0).lt(1);
const nonNegative = z.number().min(0);
const positive = z.number().gt(0);

export const scheduleSchema = z.strictObject({
  kind: z
    .enum(['constant', 'linear', 'cosine'])
    .default('cosine')
    .describe('How the learning rate goes on after warm-up.'),
  warmup: z.int().min(0).default(0).describe('Steps of linear rise to the learning rate.'),
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

export const adamwSchema = z.strictObject({
  name,
  rule: z.literal('adamw').describe('AdamW for all weights.'),
  ...adamwHyperparameters,
  schedule,
  clipNorm,
});

export const lmdSchema = z.strictObject({
  name,
  rule: z.literal('lmd').describe('LMD for matrices, AdamW for all other weights.'),
  learningRate: nonNegative.default(3e-3).describe('Step size in log m.'),
  beta1: fraction.default(0.9).describe('What the temporary momentum keeps of the momentum.'),
  beta2: fraction.default(0.99).describe('Decay of the momentum.'),
  regularization: nonNegative.default(0.5).describe('λ: pull toward the prior.'),
  regularizer: z.enum(lmdRegularizers).default('logNormalPrior').describe('The prior.'),
  noise: z.number().min(0).max(10).default(0.05).describe('σ: standard deviation of log θ around log m.'),
  samples: z.int().min(1).default(1).describe('Draws, and so forward and backward passes, a step.'),
  gradientScaling: z
    .enum(['sample', 'none'])
    .default('sample')
    .describe('Whether gradients are scaled by the drawn weight.'),
  useSign: z.boolean().default(true).describe('Whether the temporary momentum moves log m by its sign.'),
  priorMedianFloor: positive
    .default(0.5)
    .describe('c: floor of the initial halves, in units of the initial deviation.'),
  rest: z
    .strictObject(adamwHyperparameters)
    .prefault({})
    .describe('AdamW for biases, norm gains, tokens and position embeddings, under the same schedule.'),
  schedule,
  clipNorm,
});

export const optimizerSchema = z.discriminatedUnion('rule', [lmdSchema, adamwSchema]);

export type OptimizerConfiguration = z.output<typeof optimizerSchema>;
export type LmdConfiguration = z.output<typeof lmdSchema>;
export type AdamwConfiguration = z.output<typeof adamwSchema>;
export type ScheduleConfiguration = z.output<typeof scheduleSchema>;
