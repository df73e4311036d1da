import { lmdOptionTable, type Precision } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { checkpointingOptionTable } from '@lmd/training/node';
import { z } from 'zod';
import { backendNames } from '../engine/names.js';
import { dataSchema } from './data-schema.js';
import { diagnosticsSchema } from './diagnostics-schema.js';
import { fineTuningSchema } from './fine-tuning-schema.js';
import { mostCheckpoints, mostExamples, mostSteps, usualEvaluationBatch } from './limits.js';
import { modelSchema } from './model-schema.js';
import { type OptimizerConfiguration, optimizerSchema } from './optimizer-schema.js';
import { described, limited, optionShape, withDefault } from './option-schema.js';
import { precisionSchema } from './precision-schema.js';
import { samplesSchema } from './samples-schema.js';
import {
  earlyStoppingSchema,
  microBatchSizeSchema,
  updateInPlaceSchema,
  weightAveragingSchema,
} from './training-schema.js';

const count = z.int().min(1);
const steps = z.int().min(1).max(mostSteps);
const examples = z.int().min(1).max(mostExamples);

/** Everything that a run is a function of, besides the version of the code. Unknown keys are refused. */
export const configurationSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'is no name: use letters, digits, dashes and underscores.')
    .describe('Names the run folder. By default the preset or the file that the configuration came from.'),
  seed: z.int().min(0).default(0).describe('Of initial weights, data order, noise and made data.'),
  dataSeed: z
    .int()
    .min(0)
    .optional()
    .describe('Seed of the split into training and validation examples, and of made data; default: `seed`.'),
  steps: steps.describe('Optimizer steps of each rule.'),
  batchSize: examples.default(64).describe('Examples a step.'),
  microBatchSize: microBatchSizeSchema,
  updateInPlace: updateInPlaceSchema,
  backend: z.enum(backendNames).default('cpu').describe('What computes. `lmd doctor` says which work here.'),
  precision: precisionSchema
    .default('mxfp6_e3m2')
    .describe('Format of weights and activations in the matrix products of the forward pass.'),
  backward: precisionSchema
    .optional()
    .describe(
      'Format of the operands of backward matrix products; default: `bf16` under a block format, otherwise that of the forward pass.',
    ),
  data: dataSchema.describe('The examples.'),
  model: modelSchema.describe('The network.'),
  fineTuning: fineTuningSchema,
  optimizers: z
    .array(optimizerSchema)
    .min(1)
    .max(8)
    .superRefine((list, context) => {
      const seen = new Set<string>();
      list.forEach(({ name }, index) => {
        // Names become folders, and some file systems take no notice of case.
        const folder = name.toLowerCase();
        if (seen.has(folder)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: 'names two optimizers; give each its own.',
          });
        }
        seen.add(folder);
      });
    })
    .describe('The rules to compare. Each trains in turn, from the same seed and data order.'),
  evaluation: z
    .strictObject({
      every: steps.default(100).describe('Steps from one validation to the next.'),
      batchSize: examples
        .optional()
        .describe(
          `Examples evaluated at once; by default ${usualEvaluationBatch}, or less where the largest tensor of the model would not fit.`,
        ),
      examples: count
        .optional()
        .describe('Validation looks at so many examples, always the same; by default at all. The test is on all.'),
      ...optionShape({
        weights: described(lmdOptionTable.evaluation, 'Which weights of the posterior are evaluated and exported.'),
      }),
      test: z
        .boolean()
        .default(true)
        .describe(
          'Whether the test set is evaluated after the last step; `false` for runs that a choice is made from.',
        ),
      formats: z
        .array(precisionSchema)
        .default([])
        .describe('Other formats in which the trained weights are evaluated, to see what deployment in them costs.'),
    })
    .prefault({})
    .describe('Evaluation.'),
  samples: samplesSchema,
  weightAveraging: weightAveragingSchema,
  earlyStopping: earlyStoppingSchema,
  checkpoints: z
    .strictObject({
      ...optionShape({
        every: withDefault(
          limited(described(checkpointingOptionTable.every, 'Steps from one checkpoint to the next.'), mostSteps),
          100,
        ),
        keep: limited(checkpointingOptionTable.keep, mostCheckpoints),
      }),
    })
    .prefault({})
    .describe('Checkpoints.'),
  diagnostics: diagnosticsSchema,
  $schema: z.string().optional().describe('The JSON schema that an editor checks the file with; not used here.'),
});

/** As a person writes it: keys with a default may be left out. */
export type ConfigurationInput = z.input<typeof configurationSchema>;
/** Complete. */
export type Configuration = z.output<typeof configurationSchema>;

/** The precision of a rule's training, forward and backward. */
export function trainingPrecision(configuration: Configuration, optimizer: OptimizerConfiguration): Precision {
  return precisionPreset(precisionOf(configuration, optimizer), { backward: configuration.backward });
}

/** In which format a rule of a run trains: its own, or else the run's. */
export function precisionOf({ precision }: Configuration, optimizer: OptimizerConfiguration): string {
  return optimizer.precision ?? precision;
}
