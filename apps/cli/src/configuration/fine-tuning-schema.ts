import { loraOptionTable } from '@lmd/models';
import { z } from 'zod';
import { largestSize } from './limits.js';
import { limited, optionShape } from './option-schema.js';

const patterns = (meaning: string) =>
  z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(`${meaning} Names are those shown by \`lmd inspect\`; \`*\` matches any part of a name.`);

/** The trained part of a pretrained model, and the method. */
export const fineTuningSchema = z
  .strictObject({
    lora: z
      .strictObject({
        ...optionShape({ rank: limited(loraOptionTable.rank, largestSize), alpha: loraOptionTable.alpha }),
        targets: patterns('Matrices to adapt; default: those of attention.'),
      })
      .optional()
      .describe('Trains low-rank adapters (LoRA) and freezes the other weights.'),
    train: patterns('Weights to train fully; the others are frozen.'),
    freeze: patterns('Weights to freeze; the others are trained.'),
    fresh: patterns(
      'Weights to initialize randomly from the seed, such as `head.*` for other classes. They may be missing in ' +
        'the file.',
    ),
  })
  .superRefine(({ lora, train, freeze, fresh }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (freeze !== undefined && train !== undefined) refuse('freeze', 'and train cannot be combined. Use one of them.');
    if (freeze !== undefined && lora !== undefined) {
      refuse('freeze', 'and lora cannot be combined. With lora, all weights are frozen except those listed in train.');
    }
    if (lora === undefined && train === undefined && freeze === undefined && fresh === undefined) {
      refuse('lora', 'is missing. Set lora, train, freeze or fresh, or remove fineTuning.');
    }
  })
  .optional()
  .describe('The part of the model in `model.weights` that is trained; default: the whole model.');

export type FineTuningConfiguration = NonNullable<z.output<typeof fineTuningSchema>>;
