import { existsSync } from 'node:fs';
import type { Json } from '@lmd/training';
import { z } from 'zod';
import { trialLayout } from '../run/layout.js';
import { storedNumber } from '../run/number-codec.js';
import { readStored } from '../run/stored.js';
import { trialResultSchema } from '../run/types.js';

const trialSummarySchema = z.object({
  result: trialResultSchema,
  steps: z.number(),
  device: z.string(),
  model: z.string(),
  parameters: z.number(),
  /** Training examples seen, repeated ones too, for each parameter; for a language model also tokens. */
  examplesPerParameter: z.number().exactOptional(),
  tokensPerParameter: z.number().exactOptional(),
  /** Euclidean norm of all weights after the last step, those that are evaluated; of adapters, theirs alone. */
  weightNorm: storedNumber.exactOptional(),
  data: z.string(),
  /** How a picture becomes an input. */
  preprocessing: z.string().exactOptional(),
  /** Cross-entropy of a uniform guess, in nats, as a baseline for the loss. */
  uniformLoss: z.number().exactOptional(),
  /** The text that a language model generated for each prompt of `samples`. */
  samples: z.array(z.object({ prompt: z.string(), text: z.string() })).exactOptional(),
  /** Identity of the configuration that it is a result of. */
  identity: z.record(z.string(), z.json() as z.ZodType<Json>).exactOptional(),
});

/** The contents of `summary.json` in the folder of one optimizer. */
export type TrialSummary = Readonly<z.output<typeof trialSummarySchema>>;

/**
 * The summary of a finished optimizer, or undefined for an unfinished one.
 *
 * @throws LmdError `DATA_CORRUPT` if it is damaged.
 */
export function readTrialSummary(folder: string): TrialSummary | undefined {
  const { summary } = trialLayout(folder);
  if (!existsSync(summary)) return undefined;
  const remedy = 'Delete it and resume the run, which writes it again from the newest checkpoint.';
  return readStored(summary, trialSummarySchema, remedy);
}
