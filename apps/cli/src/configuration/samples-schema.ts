import { generateOptionTable } from '@lmd/models';
import { z } from 'zod';
import { optionShape, picked, withDefault } from './option-schema.js';

/** How the command samples, in training and in `lmd generate`. */
export const samplingTable = {
  temperature: withDefault(generateOptionTable.temperature, 0.8),
  ...picked(generateOptionTable, ['topK', 'topP', 'repetitionPenalty', 'seed']),
};

const { maxTokens } = generateOptionTable;

/** Sample texts that a trained language model generates. */
export const samplesSchema = z
  .strictObject({
    prompts: z.array(z.string()).min(1).describe('Prompts; one text is generated for each.'),
    ...optionShape({
      maxTokens: withDefault({ ...maxTokens, range: { atLeast: 1 }, describe: 'Maximum number of new tokens.' }, 60),
      ...samplingTable,
    }),
  })
  .optional()
  .describe(
    'Sample texts of a language model, generated after training and stored in `summary.json` of each optimizer; ' +
      'default: none.',
  );

export type SamplesConfiguration = NonNullable<z.output<typeof samplesSchema>>;
