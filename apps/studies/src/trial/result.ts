import type { ProductNoise } from '@lmd/cli';

/** What one evaluation found. */
export interface Evaluation {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  readonly accuracy: number;
}

/** What a finished trial found. A trial that diverged is a result too. */
export interface TrialResult {
  /** A value was not finite, or the training loss over the last tenth was no better than a uniform guess. */
  readonly diverged: boolean;
  /** Updates made before a value was not finite; absent where all were, and only the result was not. */
  readonly divergedAt?: number;
  readonly reason?: string;
  /** On the trial's split, after the last step; null where it did not get there. */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Mean over the last tenth of the steps; null where there are none. */
  readonly trainingLoss: number | null;
  readonly spikes: number;
  /** Training loss, averaged over up to 25 equal stretches: [last step of the stretch, mean]. */
  readonly curve: readonly (readonly [number, number])[];
  /** On validation data: [step, loss, accuracy]. */
  readonly validation: readonly (readonly [number, number, number])[];
  /** Without a format in which the loss is not finite. */
  readonly deployed: { readonly [format: string]: Evaluation };
  readonly measures: readonly { readonly step: number; readonly products: readonly ProductNoise[] }[];
  /** Texts that a language model wrote, where the configuration asks for them. */
  readonly samples?: readonly { readonly prompt: string; readonly text: string }[];
  /** Absent where the trial diverged. */
  readonly parameters?: number;
  readonly device?: string;
  /** The examples, with their counts. */
  readonly data?: string;
  readonly peakMemoryBytes?: number;
}
