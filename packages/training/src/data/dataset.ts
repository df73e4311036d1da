import { type DType, LmdError, sizeOf } from '@lmd/core';

/** Some examples of a data set, stacked along the first axis. */
export interface DatasetBatch {
  /** [examples, ...inputShape]. */
  readonly inputs: {
    readonly data: Float32Array | Int32Array | Uint8Array;
    readonly shape: readonly number[];
    readonly dtype: DType;
  };
  /** Class of each row of logits: [examples] for classification, [examples, length] for a language model. */
  readonly labels: { readonly data: Int32Array; readonly shape: readonly number[] };
  /**
   * [...labels.shape, classes]: of each row, a distribution over the classes, as mixup, cutmix and label smoothing make it. Where
   * it is there, training minimises the cross-entropy against it (`lossOf`); accuracy and evaluation go by `labels` all the same.
   */
  readonly softLabels?: { readonly data: Float32Array; readonly shape: readonly number[] };
}

/** What a step of training tells the data set, for augmentation to draw its choices from. Evaluation gives none. */
export interface BatchContext {
  /** Of the run. */
  readonly seed: number;
  /** From 0. */
  readonly epoch: number;
}

/**
 * A data set is a plain value: to bring your own, write one object. `batch` must be a function of its arguments alone, or a
 * resumed run would see other data than the uninterrupted one.
 */
export interface Dataset {
  /** Part of what a checkpoint remembers: a run resumes only on a data set of the same name and size. */
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Number of classes, where labels are classes. */
  readonly classes?: number;
  /**
   * Identifies the contents (`fingerprintOf`): where it differs, the data changed under the same name and size. Absent where nobody takes
   * one. It may be computed when it is first read.
   */
  readonly fingerprint?: string | undefined;
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /**
   * The examples at `indices`, each in [0, size), in that order. In training there is a `context`, and augmentation is a function
   * of (seed, epoch, index); without one the examples come as they are. Calls may run at the same time: training asks for the next
   * batch before it computes with one, and evaluates meanwhile.
   */
  batch(indices: Int32Array, context?: BatchContext): DatasetBatch | Promise<DatasetBatch>;
}

/**
 * Checks what a data set gave, which may be a third party's: the count, the lengths, and each label against `classes`.
 *
 * @throws LmdError `DATA_CORRUPT` naming the example and the label; `SHAPE_MISMATCH`.
 */
export function checkBatch(dataset: Dataset, indices: Int32Array, batch: DatasetBatch): void {
  const { inputs, labels, softLabels } = batch;
  for (const [name, { data, shape }] of Object.entries({ inputs, labels, ...(softLabels && { softLabels }) })) {
    if (shape[0] === indices.length && sizeOf(shape) === data.length) continue;
    throw new LmdError('SHAPE_MISMATCH', `Data set "${dataset.name}" gave ${name} of shape [${shape.join(', ')}].`, {
      subject: name,
      value: shape,
      remedy: `For ${indices.length} indices the first extent is ${indices.length}, and the data has as many values as the shape.`,
    });
  }
  if (softLabels !== undefined) checkSoftLabels(dataset, labels.shape, softLabels);
  const { classes } = dataset;
  if (classes === undefined) return;
  const wrong = labels.data.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return;
  const example = indices[Math.floor((wrong * indices.length) / labels.data.length)]!;
  throw new LmdError(
    'DATA_CORRUPT',
    `Data set "${dataset.name}": the label of example ${example} is ${labels.data[wrong]}.`,
    {
      subject: `labels[${example}]`,
      value: labels.data[wrong],
      remedy: `Labels are integers from 0 to ${classes - 1}: check the file, or the number of classes.`,
    },
  );
}

/** Each row is a distribution: no part is negative, and they add up to 1 to rounding. */
function checkSoftLabels(
  dataset: Dataset,
  labelShape: readonly number[],
  { data, shape }: NonNullable<DatasetBatch['softLabels']>,
): void {
  const classes = shape.at(-1)!;
  const rows = shape.slice(0, -1);
  if (rows.length !== labelShape.length || rows.some((extent, axis) => extent !== labelShape[axis])) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `Data set "${dataset.name}" gave softLabels of shape [${shape.join(', ')}] with labels of [${labelShape.join(', ')}].`,
      { subject: 'softLabels', value: shape, remedy: 'Give the shape of labels and one more axis, of the classes.' },
    );
  }
  for (let row = 0; row < data.length / classes; row++) {
    let sum = 0;
    for (let c = row * classes; c < (row + 1) * classes; c++) sum += data[c]! >= 0 ? data[c]! : Number.NaN;
    if (Math.abs(sum - 1) <= 1e-3) continue;
    throw new LmdError('DATA_CORRUPT', `Data set "${dataset.name}": row ${row} of softLabels is no distribution.`, {
      subject: `softLabels[${row}]`,
      value: sum,
      remedy: 'Its parts are at least 0 and add up to 1.',
    });
  }
}
