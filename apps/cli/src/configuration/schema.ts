import { lmdOptionTable, type Precision } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { checkpointingOptionTable } from '@lmd/training/node';
import { z } from 'zod';
import { backendSchema } from './backend-schema.js';
import { dataSchema } from './data-schema.js';
import { diagnosticsSchema } from './diagnostics-schema.js';
import { distributedSchema } from './distributed-schema.js';
import { faultsSchema } from './faults-schema.js';
import { fineTuningSchema } from './fine-tuning-schema.js';
import { mostCheckpoints, mostExamples, mostSteps, mostThreads, usualEvaluationBatch } from './limits.js';
import { modelSchema } from './model-schema.js';
import { pluginsSchema } from './module-schema.js';
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

/** The formats in which a run can also log its metrics. */
export const logNames = ['csv', 'tensorboard'] as const;

const count = z.int().min(1);
const steps = z.int().min(1).max(mostSteps);
const examples = z.int().min(1).max(mostExamples);

/** Everything that determines the results of a run, besides the version of the code. Unknown keys are an error. */
export const configurationSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'is not a valid name. Use letters, digits, dashes and underscores.')
    .describe('Name of the run, used for its folder; default: the name of the preset or file.'),
  seed: z.int().min(0).default(0).describe('Random seed of initial weights, data order, noise and synthetic data.'),
  dataSeed: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Random seed of the split into training and validation examples, and of synthetic data; default: `seed`.',
    ),
  steps: steps.describe('Number of training steps of each optimizer.'),
  batchSize: examples.default(64).describe('Number of examples per step.'),
  microBatchSize: microBatchSizeSchema,
  updateInPlace: updateInPlaceSchema,
  backend: backendSchema
    .default('cpu')
    .describe(
      'Backend that runs the computation. `lmd doctor` lists those that work on this machine. A module of your own ' +
        'works too; see docs/extending.md.',
    ),
  threads: z
    .int()
    .min(1)
    .max(mostThreads)
    .optional()
    .describe(
      'Number of threads of the `cpu` backend. Results are bit-identical for any number. Workers that are threads of ' +
        'one process share it; default: all processors.',
    ),
  precision: precisionSchema
    .default('mxfp6_e3m2')
    .describe('Format of weights and activations in the matrix products of the forward pass.'),
  backward: precisionSchema
    .optional()
    .describe(
      'Format of the operands of backward matrix products; default: `bf16` with a block format, otherwise that ' +
        'of the forward pass.',
    ),
  data: dataSchema.describe('The data set.'),
  model: modelSchema.describe('The model.'),
  fineTuning: fineTuningSchema,
  optimizers: z
    .array(optimizerSchema)
    .min(1)
    .max(8)
    .superRefine((list, context) => {
      const seen = new Set<string>();
      list.forEach(({ name }, index) => {
        // Names become folders, and some file systems are case-insensitive.
        const folder = name.toLowerCase();
        if (seen.has(folder)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: 'is the name of two optimizers. Use unique names.',
          });
        }
        seen.add(folder);
      });
    })
    .describe('The optimizers to compare. They train in turn, with the same seed and data order.'),
  evaluation: z
    .strictObject({
      every: steps.default(100).describe('Number of steps between validations.'),
      batchSize: examples
        .optional()
        .describe(
          `Number of examples evaluated at once; default: ${usualEvaluationBatch}, or less if the largest tensor of the model would not fit.`,
        ),
      examples: count
        .optional()
        .describe(
          'Number of validation examples to use, always the same ones; default: all. The test set is always used ' +
            'in full.',
        ),
      ...optionShape({
        weights: described(lmdOptionTable.evaluation, 'Weights of the posterior to evaluate and export.'),
      }),
      test: z
        .boolean()
        .default(true)
        .describe('Evaluate the test set after the last step; use `false` for runs that select hyperparameters.'),
      formats: z
        .array(precisionSchema)
        .default([])
        .describe('Other formats in which to evaluate the trained weights, to measure the loss of deploying in them.'),
      faults: faultsSchema,
    })
    .prefault({})
    .describe('Settings of validation and test.'),
  samples: samplesSchema,
  distributed: distributedSchema,
  weightAveraging: weightAveragingSchema,
  earlyStopping: earlyStoppingSchema,
  checkpoints: z
    .strictObject({
      ...optionShape({
        every: withDefault(
          limited(described(checkpointingOptionTable.every, 'Number of steps between checkpoints.'), mostSteps),
          100,
        ),
        keep: limited(checkpointingOptionTable.keep, mostCheckpoints),
      }),
    })
    .prefault({})
    .describe('Settings of checkpoints.'),
  diagnostics: diagnosticsSchema,
  logging: z
    .array(z.enum(logNames))
    .refine((names) => new Set(names).size === names.length, 'has an entry twice. Remove one.')
    .default(['csv'])
    .describe(
      'Logs beside `metrics.jsonl`, which is always written: `csv` for `metrics.csv`, `tensorboard` for event files ' +
        'of TensorBoard 2.',
    ),
  plugins: pluginsSchema,
  $schema: z.string().optional().describe('JSON schema for editors; ignored by lmd.'),
});

/** The configuration before defaults are filled in. */
export type ConfigurationInput = z.input<typeof configurationSchema>;
/** The complete configuration, with defaults. */
export type Configuration = z.output<typeof configurationSchema>;

/** The training precision of an optimizer, forward and backward. */
export function trainingPrecision(configuration: Configuration, optimizer: OptimizerConfiguration): Precision {
  return precisionPreset(precisionOf(configuration, optimizer), { backward: configuration.backward });
}

/** The forward format of an optimizer: its own, or that of the run. */
export function precisionOf({ precision }: Configuration, optimizer: OptimizerConfiguration): string {
  return optimizer.precision ?? precision;
}
