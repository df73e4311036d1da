import type { ProductNoise } from '../trial/product-noise.js';

/** Results of one evaluation. */
export interface Evaluation {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  readonly accuracy: number;
}

/** Results of a finished trial. A diverged trial is a result too. */
export interface RecordedResult {
  /** A value was not finite, or the training loss over the last tenth was no better than a uniform guess. */
  readonly diverged: boolean;
  /** Number of updates before a value was not finite; absent if only the final result was not finite. */
  readonly divergedAt?: number;
  readonly reason?: string;
  /** On the trial's split, after the last step; null if the trial did not get there. */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Mean over the last tenth of the steps; null if there are none. */
  readonly trainingLoss: number | null;
  readonly spikes: number;
  /** Training loss, averaged over up to 25 equal stretches: [last step of the stretch, mean]. */
  readonly curve: readonly (readonly [number, number])[];
  /** On validation data: [step, loss, accuracy]. */
  readonly validation: readonly (readonly [number, number, number])[];
  /** Formats in which the loss is not finite are omitted. */
  readonly deployed: { readonly [format: string]: Evaluation };
  /** By fault of the weights, if configured: `logNormal 0.6`. Those whose loss is not finite are omitted. */
  readonly faulty?: { readonly [fault: string]: Evaluation };
  readonly measures: readonly { readonly step: number; readonly products: readonly ProductNoise[] }[];
  /**
   * Of quantized weights, fractions that change in the measured step, and that return to the value of two steps before;
   * if measured.
   */
  readonly codes?: readonly { readonly step: number; readonly flipped: number; readonly returned: number }[];
  /** Texts that a language model generated, if configured. */
  readonly samples?: readonly { readonly prompt: string; readonly text: string }[];
  /** Euclidean norm of all weights after the last step; absent if the trial diverged, and in older ledgers. */
  readonly weightNorm?: number;
  /** Absent if the trial diverged. */
  readonly parameters?: number;
  readonly device?: string;
  /** The examples, with their counts. */
  readonly data?: string;
  readonly peakMemoryBytes?: number;
}
