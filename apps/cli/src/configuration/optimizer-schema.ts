import { clippingOptionTable, optimizerRules, scheduleOptionTable } from '@lmd/core';
import { z } from 'zod';
import { mostSteps } from './limits.js';
import { type ConfigurableRule, optimizerTables } from './optimizer-tables.js';
import { described, limited, optionShape, withDefault } from './option-schema.js';
import { precisionSchema } from './precision-schema.js';

const { kind, warmup, final } = scheduleOptionTable;

export const scheduleSchema = z.strictObject(
  optionShape({
    kind: withDefault(described(kind, 'How the learning rate goes on after warm-up.'), 'cosine'),
    warmup: limited(described(warmup, 'Steps of linear rise to the learning rate.'), mostSteps),
    final: limited(
      described(final, 'The learning rate of the last step, as a fraction of the learning rate. Unused by `constant`.'),
      1,
    ),
  }),
);

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is no name: use letters, digits, dots, dashes and underscores.')
  .refine((value) => !value.endsWith('.'), 'is no name: it ends with a dot.')
  .describe('Names the folder of its results; unique in the list.');

const schedule = scheduleSchema.prefault({}).describe('Schedule of the learning rate.');

const { clipNorm } = optionShape(clippingOptionTable);

const precision = precisionSchema
  .optional()
  .describe("Format of the forward pass for this rule alone; by default the run's.");

/** What every rule of the list has beside its own hyper-parameters. */
const common = { name, precision, schedule, clipNorm };

/** AdamW beside a rule that suits matrices alone: what begins at a constant has no spread to scale by. */
const rest = z
  .strictObject(optionShape(optimizerTables.adamw))
  .prefault({})
  .describe('AdamW for biases, norm gains, tokens and position embeddings, under the same schedule.');

/** The rules that leave biases, gains and tokens to another beside them. */
type MatrixRule = {
  [Rule in ConfigurableRule]: (typeof optimizerRules)[Rule]['matricesOnly'] extends true ? Rule : never;
}[ConfigurableRule];

/** A rule for all weights. */
function wholeRule<Rule extends Exclude<ConfigurableRule, MatrixRule>>(rule: Rule) {
  return z.strictObject({
    rule: z.literal(rule).describe(`${optimizerRules[rule].title} for all weights.`),
    ...optionShape(optimizerTables[rule]),
    ...common,
  });
}

/** A rule for matrices, with AdamW beside it. */
function matrixRule<Rule extends MatrixRule>(rule: Rule) {
  return z.strictObject({
    rule: z.literal(rule).describe(`${optimizerRules[rule].title} for matrices, AdamW for all other weights.`),
    ...optionShape(optimizerTables[rule]),
    rest,
    ...common,
  });
}

export const lmdSchema = matrixRule('lmd');

export const optimizerSchema = z.discriminatedUnion('rule', [
  lmdSchema,
  wholeRule('adamw'),
  wholeRule('lion'),
  wholeRule('sgd'),
  matrixRule('madam'),
  matrixRule('exponentiatedGradient'),
  wholeRule('lieGroupAdditive'),
  matrixRule('lieGroupMultiplicative'),
  wholeRule('lieGroupAffine'),
  wholeRule('ivon'),
]);

export type OptimizerConfiguration = z.output<typeof optimizerSchema>;
export type LmdConfiguration = z.output<typeof lmdSchema>;
export type ScheduleConfiguration = z.output<typeof scheduleSchema>;
