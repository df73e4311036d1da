import { earlyStoppingOptionTable, weightAveragingOptionTable } from '@lmd/training';
import { z } from 'zod';
import { optionShape } from './option-schema.js';

/** Only one of the library's two options: a run always averages the posterior means. */
const { decay } = optionShape(weightAveragingOptionTable);

const count = z.int().min(1);

export const microBatchSizeSchema = count
  .max(1e6)
  .optional()
  .describe(
    'Examples per forward pass; gradients are accumulated over the batch. Saves memory; gradients are equal ' +
      'up to rounding. Default: the whole batch.',
  );

export const updateInPlaceSchema = z
  .boolean()
  .default(false)
  .describe(
    'Frees the old optimizer state while the new one is computed, for models whose state fills the memory. ' +
      'Does not change results. If a new state is not finite, the run returns to its newest checkpoint.',
  );

export const weightAveragingSchema = z
  .strictObject({ decay })
  .optional()
  .describe(
    'Evaluates and exports an exponential moving average (EMA) of the weights; default: the weights themselves.',
  );

export const earlyStoppingSchema = z
  .strictObject(optionShape(earlyStoppingOptionTable))
  .optional()
  .describe('Stops an optimizer when the validation results stop improving; default: no early stopping.');
