import { z } from 'zod';

/** Texts that a language model writes when it is trained. */
export const samplesSchema = z
  .strictObject({
    prompts: z.array(z.string()).min(1).describe('A text is generated after each of these.'),
    maxTokens: z.int().min(1).default(60).describe('Maximum number of new tokens.'),
    temperature: z.number().min(0).default(0.8).describe('Divides the logits; 0 takes the likeliest token.'),
    topK: z.int().min(1).optional().describe('Samples among the k likeliest tokens; default: all.'),
    topP: z.number().gt(0).max(1).optional().describe('Top-p (nucleus) sampling; default: all tokens.'),
    repetitionPenalty: z
      .number()
      .gt(0)
      .optional()
      .describe('Values above 1 penalize tokens that already appear; default: no penalty.'),
    seed: z.int().min(0).default(0).describe('Seed of the sampling.'),
  })
  .optional()
  .describe(
    'Sample texts of a language model, generated after training and stored in `summary.json` of each optimizer; default: none.',
  );

export type SamplesConfiguration = NonNullable<z.output<typeof samplesSchema>>;
