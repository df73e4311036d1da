import { z } from 'zod';

const count = z.int().min(1);

export const microBatchSizeSchema = count
  .max(1e6)
  .optional()
  .describe(
    'Examples that go through the model at once; gradients accumulate over a batch. Less memory, the same gradients to rounding. By default the whole batch.',
  );

export const updateInPlaceSchema = z
  .boolean()
  .default(false)
  .describe(
    'Frees the old state of the optimizer while the new one is made, for models whose state fills the memory. It changes no result; a step whose new state is not finite sets the run back to its newest checkpoint.',
  );

export const weightAveragingSchema = z
  .strictObject({
    decay: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.999)
      .describe('Part of the average that each step keeps. The first steps keep less.'),
  })
  .optional()
  .describe(
    'Evaluates and exports an exponential moving average of the weights (EMA); by default the weights themselves.',
  );

export const earlyStoppingSchema = z
  .strictObject({
    patience: count.describe('Validations without a better result after which the rule stops.'),
    metric: z.enum(['loss', 'accuracy']).default('loss').describe('What must get better on the validation data.'),
    minimumImprovement: z.number().min(0).default(0).describe('By how much a result must be better to count.'),
  })
  .optional()
  .describe('Stops a rule that no longer gets better on the validation data; by default none.');
