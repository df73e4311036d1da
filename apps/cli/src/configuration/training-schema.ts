import { earlyStoppingOptionTable, trainOptionTable, weightAveragingOptionTable } from '@lmd/training';
import { z } from 'zod';
import { mostExamples } from './limits.js';
import { limited, optionShape } from './option-schema.js';

/** Of the library's two options: a run averages the mean weights. */
const { decay } = optionShape(weightAveragingOptionTable);

export const { microBatchSize: microBatchSizeSchema, updateInPlace: updateInPlaceSchema } = optionShape({
  microBatchSize: limited(trainOptionTable.microBatchSize, mostExamples),
  updateInPlace: trainOptionTable.updateInPlace,
});

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
