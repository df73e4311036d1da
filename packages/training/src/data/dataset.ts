import type { DType } from '@lmd/core';

/** Some examples of a data set, stacked along the first axis. */
export interface DatasetBatch {
  /** [examples, ...inputShape]. */
  readonly inputs: {
    readonly data: Float32Array | Int32Array | Uint8Array;
    readonly shape: readonly number[];
    readonly dtype: DType;
  };
  /**
   * Class of each row of logits: [examples] for classification, [examples, length] for a language model. A row whose
   * label is negative (usually −100, for padding) is ignored in loss and accuracy, which are means over the other rows.
   */
  readonly labels: { readonly data: Int32Array; readonly shape: readonly number[] };
  /**
   * [...labels.shape, classes]: a distribution over the classes for each row, as with mixup, cutmix and label
   * smoothing. If present, training minimizes the cross-entropy with it (`lossOf`); accuracy and evaluation still use
   * `labels`.
   */
  readonly softLabels?: { readonly data: Float32Array; readonly shape: readonly number[] };
}

/** Random seed and epoch that training passes to the data set for augmentation. Evaluation passes none. */
export interface BatchContext {
  /** Seed of the run. */
  readonly seed: number;
  /** Epoch, from 0. */
  readonly epoch: number;
}

/**
 * A data set is a plain object, and can be custom. `batch` must depend only on its arguments, so that a run resumes
 * bit-identically.
 */
export interface Dataset {
  /** Stored in checkpoints: a run resumes only on a data set of the same name and size. */
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Number of classes, if labels are classes. */
  readonly classes?: number;
  /**
   * Identifies the contents (`fingerprintOf`), to detect data that changed under the same name and size. Optional. It
   * may be computed when it is first read.
   */
  readonly fingerprint?: string | undefined;
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /**
   * The examples at `indices`, each in [0, size), in that order. In training `context` is given, and augmentation is a
   * function of (seed, epoch, index); without it examples are not augmented. Calls may overlap: training requests the
   * next batch before it computes the current one, and may evaluate in the meantime.
   */
  batch(indices: Int32Array, context?: BatchContext): DatasetBatch | Promise<DatasetBatch>;
}
