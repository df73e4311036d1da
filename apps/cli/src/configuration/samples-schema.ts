import { z } from 'zod';

/** Sample texts that a trained language model generates. */
export const samplesSchema = z
  .strictObject({
    prompts: z.array(z.string()).min(1).describe('Prompts; one text is generated for each.'),
    maxTokens: z.int().min(1).default(60).describe('Maximum number of new tokens.'),
    temperature: z.number().min(0).default(0.8).describe('Sampling temperature; 0 is greedy decoding.'),
    topK: z.int().min(1).optional().describe('Top-k sampling; default: all tokens.'),
    topP: z.number().gt(0).max(1).optional().describe('Top-p (nucleus) sampling; default: all tokens.'),
    repetitionPenalty: z
      .number()
      .gt(0)
      .optional()
      .describe('Values above 1 penalize tokens that already appear; default: no penalty.'),
    seed: z.int().min(0).default(0).describe('Random seed of sampling.'),
  })
  .optional()
  .describe(
    'Sample texts of a language model, generated after training and stored in `summary.json` of each ' +
      'optimizer; default: none.',
  );

export type SamplesConfiguration = NonNullable<z.output<typeof samplesSchema>>;
