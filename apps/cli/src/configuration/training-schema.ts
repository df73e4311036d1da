import { earlyStoppingOptionTable, weightAveragingOptionTable } from '@lmd/training';
import { z } from 'zod';
import { optionShape } from './option-schema.js';

/** Of the library's two options: a run averages the mean weights. */
const { decay } = optionShape(weightAveragingOptionTable);

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
  .strictObject({ decay })
  .optional()
  .describe(
    'Evaluates and exports an exponential moving average of the weights (EMA); by default the weights themselves.',
  );

export const earlyStoppingSchema = z
  .strictObject(optionShape(earlyStoppingOptionTable))
  .optional()
  .describe('Stops a rule that no longer gets better on the validation data; by default none.');
