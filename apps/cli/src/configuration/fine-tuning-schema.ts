import { loraOptionTable } from '@lmd/models';
import { z } from 'zod';
import { largestSize } from './limits.js';
import { limited, optionShape } from './option-schema.js';

const patterns = (meaning: string) =>
  z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(`${meaning} Names of weights as \`lmd inspect\` shows them; \`*\` stands for any part of one.`);

/** What of a pretrained model is trained, and how. */
export const fineTuningSchema = z
  .strictObject({
    lora: z
      .strictObject({
        ...optionShape({ rank: limited(loraOptionTable.rank, largestSize), alpha: loraOptionTable.alpha }),
        targets: patterns('The matrices that get an adapter; by default those of attention.'),
      })
      .optional()
      .describe('Low-rank adapters beside frozen weights.'),
    train: patterns('The weights that are trained whole; the others stay as they are.'),
    freeze: patterns('The weights that stay as they are; the others are trained.'),
    fresh: patterns(
      'The weights that begin from the seed, such as a head for other classes: `head.*`. The file may lack them.',
    ),
  })
  .superRefine(({ lora, train, freeze, fresh }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (freeze !== undefined && train !== undefined) refuse('freeze', 'and train do not go together; give one.');
    if (freeze !== undefined && lora !== undefined) {
      refuse('freeze', 'and lora do not go together: beside adapters all is frozen but what train names.');
    }
    if (lora === undefined && train === undefined && freeze === undefined && fresh === undefined) {
      refuse('lora', 'is missing; give lora, train, freeze or fresh, or leave fineTuning out.');
    }
  })
  .optional()
  .describe('What is trained of the model that `model.weights` names; by default all of it.');

export type FineTuningConfiguration = NonNullable<z.output<typeof fineTuningSchema>>;
