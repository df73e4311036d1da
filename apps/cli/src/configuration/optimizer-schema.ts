import { clippingOptionTable, optimizerRules, scheduleOptionTable, weightNoiseOptionTable } from '@lmd/core';
import { defaultsBeside } from '@lmd/models';
import { z } from 'zod';
import { mostSteps } from './limits.js';
import { moduleShape } from './module-schema.js';
import { type ConfigurableRule, lmdScheduleTable, optimizerTables } from './optimizer-tables.js';
import { described, limited, optionShape, withDefault } from './option-schema.js';
import { precisionSchema } from './precision-schema.js';

const { kind, warmup, final } = scheduleOptionTable;

export const scheduleSchema = z.strictObject(
  optionShape({
    kind: withDefault(described(kind, 'Decay of the learning rate after warm-up.'), 'cosine'),
    warmup: limited(described(warmup, 'Number of steps of linear warm-up.'), mostSteps),
    final: limited(
      described(final, 'Learning rate of the last step, as a fraction of the learning rate. Ignored by `constant`.'),
      1,
    ),
  }),
);

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is not a valid name. Use letters, digits, dots, dashes and underscores.')
  .refine((value) => !value.endsWith('.'), 'is not a valid name, because it ends with a dot. Remove the dot.')
  .describe('Name of the optimizer, used for the folder of its results; unique in the list.');

const schedule = scheduleSchema.prefault({}).describe('Schedule of the learning rate.');

const { clipNorm } = optionShape(clippingOptionTable);
const { weightNoise } = optionShape(weightNoiseOptionTable);

const precision = precisionSchema
  .optional()
  .describe("Format of the forward pass of this optimizer; default: the run's.");

/** Keys of every optimizer, in addition to its hyperparameters. */
const common = { name, precision, schedule, clipNorm, weightNoise };

/** AdamW for the weights that an optimizer of matrices cannot train, such as those that start at a constant. */
const adamwBeside = (table: typeof optimizerTables.adamw) =>
  z
    .strictObject(optionShape(table))
    .prefault({})
    .describe(
      'AdamW for the other weights (biases, norm gains, class tokens, position embeddings), with the same schedule.',
    );

const { adamw } = optimizerTables;
const besideLmd = { ...adamw, learningRate: withDefault(adamw.learningRate, defaultsBeside.lmd.learningRate) };

/** Optimizers that train only matrices and need another for biases, gains and tokens. */
type MatrixRule = {
  [Rule in ConfigurableRule]: (typeof optimizerRules)[Rule]['matricesOnly'] extends true ? Rule : never;
}[ConfigurableRule];

/** An optimizer for all weights. */
function wholeRule<Rule extends Exclude<ConfigurableRule, MatrixRule>>(rule: Rule) {
  return z.strictObject({
    rule: z.literal(rule).describe(`${optimizerRules[rule].title} for all weights.`),
    ...optionShape(optimizerTables[rule]),
    ...common,
  });
}

/** An optimizer for matrices, with AdamW for the other weights. */
function matrixRule<Rule extends MatrixRule>(rule: Rule, its = 'matrices, AdamW for') {
  return z.strictObject({
    rule: z.literal(rule).describe(`${optimizerRules[rule].title} for ${its} all other weights.`),
    ...optionShape(optimizerTables[rule]),
    rest: adamwBeside(rule === 'lmd' ? besideLmd : adamw),
    ...common,
  });
}

export const lmdSchema = matrixRule('lmd').extend(optionShape(lmdScheduleTable));

export const optimizerSchema = z.discriminatedUnion('rule', [
  lmdSchema,
  wholeRule('adamw'),
  matrixRule('muon', 'hidden matrices, AdamW for embeddings, the head and'),
  wholeRule('lion'),
  wholeRule('signum'),
  wholeRule('sgd'),
  matrixRule('madam'),
  matrixRule('multiplicativeWeights'),
  matrixRule('exponentiatedGradient'),
  wholeRule('lieGroupAdditive'),
  matrixRule('lieGroupMultiplicative'),
  wholeRule('lieGroupAffine'),
  wholeRule('ivon'),
  z.strictObject({
    rule: z.literal('module').describe('An optimizer of a module of your own; see docs/extending.md.'),
    ...moduleShape,
    ...common,
  }),
]);

export type OptimizerConfiguration = z.output<typeof optimizerSchema>;
export type LmdConfiguration = z.output<typeof lmdSchema>;
export type ScheduleConfiguration = z.output<typeof scheduleSchema>;
