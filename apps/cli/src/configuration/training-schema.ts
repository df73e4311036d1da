import { earlyStoppingOptionTable, trainOptionTable, weightAveragingOptionTable } from '@lmd/training';
import { z } from 'zod';
import { mostExamples } from './limits.js';
import { limited, optionShape } from './option-schema.js';

/** Only one of the library's two options: a run always averages the posterior means. */
const { decay } = optionShape(weightAveragingOptionTable);

export const { microBatchSize: microBatchSizeSchema, updateInPlace: updateInPlaceSchema } = optionShape({
  microBatchSize: limited(trainOptionTable.microBatchSize, mostExamples),
  updateInPlace: trainOptionTable.updateInPlace,
});

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
