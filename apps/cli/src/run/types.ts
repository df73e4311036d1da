import { z } from 'zod';
import { storedNumber } from './number-codec.js';

/** The results of one optimizer, with the fields of `summary.json` and of the last line of `--json`. */
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
  /** By format of `evaluation.formats`: the same weights on the same data (the test set if it is evaluated). */
  deployed: z.record(z.string(), z.object({ accuracy: storedNumber, loss: storedNumber })).exactOptional(),
  /** By fault of `evaluation.faults`: means over its draws, in the run's format and on the same data. */
  faulty: z.record(z.string(), z.object({ accuracy: storedNumber, loss: storedNumber })).exactOptional(),
  /** Time of training and evaluation, summed over the parts of a resumed run. */
  seconds: storedNumber,
  /** Training examples of any kind per second, in training steps only. */
  imagesPerSecond: storedNumber,
  /** Maximum resident memory of the training process. */
  peakMemoryBytes: storedNumber,
  /** Of a language model: exp(testLoss). */
  testPerplexity: storedNumber.exactOptional(),
  /** Of a language model, in training steps. */
  tokensPerSecond: storedNumber.exactOptional(),
});

export type TrialResult = Readonly<z.output<typeof trialResultSchema>>;

/** The part of a run's `summary.json` that later commands read. */
export const runSummarySchema = z.object({ results: z.array(trialResultSchema).min(1) });

/** The environment of a run, as text. */
export interface Environment {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly device: string;
  readonly model: string;
  readonly data: string;
  /** How a picture becomes an input; absent for other data. */
  readonly preprocessing?: string;
  readonly versions: string;
}
