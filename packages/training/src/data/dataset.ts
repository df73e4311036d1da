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
}

/**
 * A data set is a plain value: to bring your own, write one object. `batch` must be a function of the indices alone, or a
 * resumed run would see other data than the uninterrupted one.
 */
export interface Dataset {
  /** Part of what a checkpoint remembers: a run resumes only on a data set of the same name and size. */
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Number of classes, where labels are classes. */
  readonly classes?: number;
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** The examples at `indices`, each in [0, size), in that order. */
  batch(indices: Int32Array): DatasetBatch | Promise<DatasetBatch>;
}

/**
 * Checks what a data set gave, which may be a third party's: the count, the lengths, and each label against `classes`.
 *
 * @throws LmdError `DATA_CORRUPT` naming the example and the label; `SHAPE_MISMATCH`.
 */
export function checkBatch(dataset: Dataset, indices: Int32Array, { inputs, labels }: DatasetBatch): void {
  for (const [name, { data, shape }] of Object.entries({ inputs, labels })) {
    if (shape[0] === indices.length && sizeOf(shape) === data.length) continue;
    throw new LmdError('SHAPE_MISMATCH', `Data set "${dataset.name}" gave ${name} of shape [${shape.join(', ')}].`, {
      subject: name,
      value: shape,
      remedy: `For ${indices.length} indices the first extent is ${indices.length}, and the data has as many values as the shape.`,
    });
  }
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
