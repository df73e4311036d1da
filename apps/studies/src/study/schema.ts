import { dimensionSchema, faultSchema, scalarSchema as scalar } from '@lmd/cli/experiment';
import { precisionNames } from '@lmd/models';
import { z } from 'zod';
import { ruleNames } from './optimizers.js';

const count = z.int().min(1);
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is not a valid name: use letters, digits, dots, dashes and underscores.');
const format = z.enum(precisionNames as readonly [string, ...string[]]);
const formats = z.array(format).min(1);
const seeds = z.array(z.int().min(0)).min(1);
const options = z.record(z.string(), scalar);

const optimizer = z.strictObject({
  name,
  rule: z.enum(ruleNames),
  formats: formats
    .optional()
    .describe("Formats of this optimizer (default: the study's). The first is that of its search."),
  options: options
    .default({})
    .describe('Options that are not searched, by their keys in a configuration of `lmd train`.'),
  clipNorm: z.number().gt(0).optional(),
  weightNoise: z.number().gt(0).optional(),
  distributed: z
    .record(z.string(), scalar)
    .optional()
    .describe('Trains with several workers, as the key `distributed` of a configuration says.'),
  bytesPerWeight: z
    .number()
    .gt(0)
    .optional()
    .describe('Bytes of the weight and its state between steps, by which the report plots the accuracy.'),
  search: z.record(z.string(), dimensionSchema).describe('The search space of its hyperparameters.'),
});

const variant = z.strictObject({
  name: z.string().min(1),
  note: z.string().optional().describe('Appended to the name in the report.'),
  options: options.default({}),
  factors: z.record(z.string(), z.number()).default({}).describe('Multiply options that are numbers.'),
});

const governing = z.strictObject({
  name: z.string().min(1),
  note: z.string().optional(),
  model: z.record(z.string(), scalar).optional().describe('Replaces keys of `configuration.model`.'),
  data: z.record(z.string(), scalar).optional().describe('Replaces keys of `configuration.data`.'),
  steps: count.optional(),
  learningRateFactor: z.number().gt(0).default(1),
  options: z.record(name, options).default({}).describe('By optimizer.'),
  optimizers: z.array(name).optional().describe('Only these.'),
});

export const partNames = ['search', 'final', 'sweep', 'ablation', 'governs'] as const;
export type PartName = (typeof partNames)[number];

/** A study: everything that determines its trials, except the version of the code. Unknown keys are an error. */
export const studySchema = z.strictObject({
  name,
  title: z.string().min(1),
  question: z.string().min(1).describe('The question of the study, for the head of its report.'),
  answer: z
    .string()
    .min(1)
    .optional()
    .describe('What the study found, in one sentence without numbers, which the report has.'),
  frozen: z
    .string()
    .min(1)
    .optional()
    .describe('Why no more trials can be run, for the report. The report can still be written.'),
  configuration: z
    .record(z.string(), z.unknown())
    .describe('Configuration of `lmd train` that all trials share: data, model, batchSize, backend, evaluation, …'),
  warmup: z.number().min(0).lt(1).default(0.1).describe('Fraction of the steps in which the learning rate rises.'),
  rest: options
    .default({})
    .describe('AdamW for biases, gains and embeddings, with optimizers that train only matrices.'),
  optimizers: z.array(optimizer).min(1),
  subject: name.optional().describe('The optimizer that is compared with each other one. Default: the last.'),
  formats: formats.describe('Formats of the forward pass; the others are compared with the first.'),
  sameBackward: z
    .boolean()
    .default(false)
    .describe('Backward products use the format of the forward pass, instead of `configuration.backward`.'),
  search: z.strictObject({
    trials: count.describe('Trials of each optimizer in a round.'),
    rounds: count.default(1).describe('Latin hypercubes of `trials` points; one more continues a search that is done.'),
    steps: count,
    seed: z.int().min(0).default(0).describe('Selects the points of the space; the seed of the trials too.'),
    format: format.optional().describe('Default: the first format of each optimizer.'),
  }),
  final: z.strictObject({
    steps: count,
    seeds,
    evaluations: count.default(5).describe('Number of validations, evenly spaced over the run.'),
    measures: z.int().min(0).default(4).describe('Number of measurements of the quantized products (of a ViT).'),
    codes: z.boolean().default(false).describe('Whether flips and oscillation of the codes are measured, as often.'),
    faults: z
      .array(faultSchema)
      .optional()
      .describe('Faults of the weights under which the final models are evaluated too.'),
    deploy: formats
      .optional()
      .describe('Formats in which the trained weights are evaluated; default: the others of the study, for the first.'),
  }),
  sweep: z
    .strictObject({
      steps: count,
      seeds: seeds.default([0]),
      factors: z.array(z.number().gt(0)).min(2).describe("Multiply the winner's learning rate."),
      tolerance: z.number().gt(0).default(0.01).describe('Accuracy below the best that still counts as good.'),
    })
    .optional(),
  ablation: z
    .strictObject({
      optimizer: name,
      steps: count,
      formats,
      seeds: seeds.default([0]),
      variants: z.array(variant).min(1),
    })
    .optional(),
  governs: z
    .strictObject({
      optimizers: z.array(name).min(1),
      steps: count,
      formats,
      seeds: seeds.default([0]),
      measures: z.int().min(0).default(0).describe('Number of measurements of the quantized products (of a ViT).'),
      variants: z.array(governing).min(1),
    })
    .optional(),
  order: z
    .array(z.strictObject({ part: z.enum(partNames), seeds: seeds.optional() }))
    .min(1)
    .default([{ part: 'search' }, { part: 'final' }, { part: 'sweep' }, { part: 'ablation' }, { part: 'governs' }])
    .describe('Order in which the parts run; a part with some seeds only may come more than once.'),
  budget: z.strictObject({
    coreHours: z.number().gt(0),
    secondsPerStep: z.number().gt(0).describe('Seconds per step, for the estimate before any trial has been timed.'),
  }),
});

export type StudyInput = z.input<typeof studySchema>;
export type Study = z.output<typeof studySchema>;
export type StudyOptimizer = Study['optimizers'][number];

/** The formats that an optimizer of a study runs in. */
export function formatsOf(study: Study, optimizer: StudyOptimizer): readonly string[] {
  return optimizer.formats ?? study.formats;
}
