import { existsSync } from 'node:fs';
import type { Json } from '@lmd/training';
import { z } from 'zod';
import { trialLayout } from '../run/layout.js';
import { readStored } from '../run/stored.js';
import { trialResultSchema } from '../run/types.js';

const trialSummarySchema = z.object({
  result: trialResultSchema,
  steps: z.number(),
  device: z.string(),
  model: z.string(),
  parameters: z.number(),
  data: z.string(),
  /** Cross-entropy of a uniform guess, in nats: training that ends no lower has learned nothing. */
  uniformLoss: z.number().exactOptional(),
  /** Of `samples`: what a language model wrote after each prompt. */
  samples: z.array(z.object({ prompt: z.string(), text: z.string() })).exactOptional(),
  /** What it is a result of, as `identityOf` has it: another configuration gives another. */
  identity: z.record(z.string(), z.json() as z.ZodType<Json>).exactOptional(),
});

/** What `summary.json` in the folder of one rule holds. */
export type TrialSummary = Readonly<z.output<typeof trialSummarySchema>>;

/**
 * The summary of a rule that is done, or undefined where it is not.
 *
 * @throws LmdError `DATA_CORRUPT` where it is damaged.
 */
export function readTrialSummary(folder: string): TrialSummary | undefined {
  const { summary } = trialLayout(folder);
  if (!existsSync(summary)) return undefined;
  const remedy = 'Remove it and resume the run: it is written again from the newest checkpoint.';
  return readStored(summary, trialSummarySchema, remedy);
}
