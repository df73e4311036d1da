import { z } from 'zod';
import { storedNumber } from './number-codec.js';

/** What one rule achieved. The fields are those of `summary.json` and of the last line of `--json`. */
export const trialResultSchema = z.object({
  optimizer: z.string(),
  format: z.string(),
  /** On validation data, after the last step; absent in runs of earlier versions. */
  validationAccuracy: storedNumber.exactOptional(),
  /** Mean cross-entropy in nats. */
  validationLoss: storedNumber.exactOptional(),
  /** On the test set; absent with `evaluation.test: false`. */
  testAccuracy: storedNumber.exactOptional(),
  testLoss: storedNumber.exactOptional(),
  /** By format of `evaluation.formats`: the same weights on the same data, the test set where it is evaluated. */
  deployed: z.record(z.string(), z.object({ accuracy: storedNumber, loss: storedNumber })).exactOptional(),
  /** Training and evaluation together, the parts of a resumed run added up. */
  seconds: storedNumber,
  /** Training examples, whatever they are, a second of training steps. */
  imagesPerSecond: storedNumber,
  /** The largest resident memory of the process that trained. */
  peakMemoryBytes: storedNumber,
  /** Of a language model: exp(testLoss). */
  testPerplexity: storedNumber.exactOptional(),
  /** Of a language model, in training steps. */
  tokensPerSecond: storedNumber.exactOptional(),
});

export type TrialResult = Readonly<z.output<typeof trialResultSchema>>;

/** What `summary.json` of a run holds for a later command to read. */
export const runSummarySchema = z.object({ results: z.array(trialResultSchema).min(1) });

/** Where and with what a run was made, for people to read. */
export interface Environment {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly device: string;
  readonly model: string;
  readonly data: string;
  readonly versions: string;
}
