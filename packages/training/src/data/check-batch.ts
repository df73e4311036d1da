import { bytesPerElement, type DType, LmdError, sizeOf, typedArrayName } from '@lmd/core';
import type { Dataset, DatasetBatch } from './dataset.js';
import { dtypeOf, toHostArray } from './host-array.js';

/** A validated batch. */
export interface CheckedBatch extends DatasetBatch {
  /** Name in error messages. */
  readonly dataset: string;
  readonly indices: Int32Array;
  /** Number of labels that are not negative. */
  readonly counted: number;
}

/**
 * Validates a batch from a data set, which may be third-party: data and shape, count, lengths, and each label against
 * `classes`. Numbers in arrays of another type (plain arrays, Float64Array, arrays of another realm) are copied to that
 * of the dtype.
 *
 * @throws LmdError `INVALID_ARGUMENT` if it is not a batch; `DATA_CORRUPT` naming the example and the value;
 * `SHAPE_MISMATCH`.
 */
export function checkedBatch(dataset: Dataset, indices: Int32Array, batch: DatasetBatch): CheckedBatch {
  if (typeof batch !== 'object' || batch === null) {
    throw noBatch(dataset, 'a batch', batch, 'Its function batch must return { inputs, labels }, or a promise of it.');
  }
  const dtype = batch.inputs?.dtype ?? defaultDtype(batch.inputs?.data);
  const inputs = { ...checkedPart(dataset, indices, 'inputs', batch.inputs, dtype), dtype };
  const labels = checkedPart(dataset, indices, 'labels', batch.labels, 'i32');
  const soft =
    batch.softLabels === undefined ? undefined : checkedPart(dataset, indices, 'softLabels', batch.softLabels, 'f32');
  if (soft !== undefined) checkSoftLabels(dataset, labels.shape, soft);
  let counted = 0;
  for (const label of labels.data) if (label >= 0) counted++;
  const checked: CheckedBatch = {
    dataset: dataset.name,
    indices,
    inputs,
    labels,
    ...(soft === undefined ? {} : { softLabels: soft }),
    counted,
  };
  if (dataset.classes !== undefined) checkClasses(checked, dataset.classes, 'the data set has');
  return checked;
}

/**
 * Throws if a label is not a class. Negative labels are ignored in the loss, and allowed.
 *
 * @param who subject and verb of the number of classes, as in `the model has`.
 */
export function checkClasses(batch: CheckedBatch, classes: number, who: string): void {
  const { dataset, labels } = batch;
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong < 0) return;
  const [example, label] = [exampleAt(batch, wrong, labels.data.length), labels.data[wrong]!];
  throw new LmdError(
    'DATA_CORRUPT',
    `Data set "${dataset}": the label of example ${example} is ${label}, but ${who} ${classes} classes.`,
    {
      subject: `labels[${example}]`,
      value: label,
      remedy:
        `Labels must be integers from 0 to ${classes - 1}, or negative to be ignored. Check the data and the ` +
        'number of classes.',
    },
  );
}

/** Throws if a token is outside the vocabulary of the model. */
export function checkTokens(batch: CheckedBatch, vocabularySize: number | undefined): void {
  const { dataset, inputs } = batch;
  if (vocabularySize === undefined || inputs.dtype !== 'i32') return;
  const wrong = inputs.data.findIndex((token) => token < 0 || token >= vocabularySize);
  if (wrong < 0) return;
  const [example, token] = [exampleAt(batch, wrong, inputs.data.length), inputs.data[wrong]!];
  throw new LmdError(
    'DATA_CORRUPT',
    `Data set "${dataset}": example ${example} has the token ${token}, but the model has a vocabulary of ` +
      `${vocabularySize}.`,
    {
      subject: `inputs[${example}]`,
      value: token,
      remedy:
        `Tokens must be integers from 0 to ${vocabularySize - 1}. Set the model's vocabularySize to that of the ` +
        'tokenizer.',
    },
  );
}

/** Throws if all labels of a batch are ignored. */
export function checkCounted({ dataset, indices, counted }: CheckedBatch): void {
  if (counted > 0) return;
  throw new LmdError(
    'DATA_CORRUPT',
    `Data set "${dataset}": all labels of a batch are negative and therefore ignored.`,
    {
      subject: 'labels',
      value: indices[0],
      remedy:
        `Check the labels of example ${indices[0]} and of the ${indices.length - 1} others, or remove these ` +
        'examples.',
    },
  );
}

function exampleAt({ indices }: CheckedBatch, position: number, length: number): number {
  return indices[Math.floor((position * indices.length) / length)]!;
}

/** Bytes of a batch are u8 by default, as in `fromData`. */
function defaultDtype(data: unknown): DType {
  return typedArrayName(data) === 'Uint8Array' ? 'u8' : (dtypeOf(data) ?? 'f32');
}

function checkedPart<D extends DType>(
  dataset: Dataset,
  indices: Int32Array,
  name: 'inputs' | 'labels' | 'softLabels',
  part: { readonly data: unknown; readonly shape: readonly number[] } | undefined,
  dtype: D,
) {
  const remedy =
    `Return ${name}: { data, shape${name === 'inputs' ? ', dtype' : ''} }, with the examples along the first ` +
    'axis.';
  if (!Object.hasOwn(bytesPerElement, dtype)) {
    throw noBatch(dataset, `the dtype of ${name}`, dtype, 'Use f32, i32 or u8.');
  }
  if (typeof part !== 'object' || part === null || !Array.isArray(part.shape) || dtypeOf(part.data) === undefined) {
    throw noBatch(dataset, name, part, remedy);
  }
  const { shape } = part;
  const values = part.data as ArrayLike<unknown>;
  if (shape[0] !== indices.length || sizeOf(shape) !== values.length) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `Data set "${dataset.name}" returned ${name} of shape [${shape.join(', ')}].`,
      {
        subject: name,
        value: shape,
        remedy:
          `For ${indices.length} indices the first dimension must be ${indices.length}, and the data must have ` +
          'as many values as the shape.',
      },
    );
  }
  const data = toHostArray(values, dtype, (value, index) => {
    const example = indices[Math.floor((index * indices.length) / values.length)]!;
    throw new LmdError(
      'DATA_CORRUPT',
      `Data set "${dataset.name}": ${name} of example ${example} hold ${String(value)}.`,
      {
        subject: `${name}[${example}]`,
        value,
        remedy:
          `${name} must be ${dtype}: ` +
          `${{ f32: 'numbers up to 3.4e38', i32: '32-bit integers', u8: 'integers from 0 to 255' }[dtype]}.`,
      },
    );
  });
  return { data, shape };
}

function noBatch({ name }: Dataset, what: string, value: unknown, remedy: string): LmdError {
  const kind = typedArrayName(value) ?? (Array.isArray(value) ? 'a plain array' : undefined);
  const found =
    kind ?? (typeof value === 'object' && value !== null ? 'an object without data and shape' : String(value));
  return new LmdError('INVALID_ARGUMENT', `Data set "${name}" returned ${found} for ${what}.`, {
    subject: what,
    value,
    remedy,
  });
}

/** Checks that each row is a distribution: not negative, with sum 1 up to rounding. */
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
      `Data set "${dataset.name}" returned softLabels of shape [${shape.join(', ')}] with labels of ` +
        `[${labelShape.join(', ')}].`,
      {
        subject: 'softLabels',
        value: shape,
        remedy: 'Use the shape of labels with an additional last axis of the classes.',
      },
    );
  }
  for (let row = 0; row < data.length / classes; row++) {
    let sum = 0;
    for (let c = row * classes; c < (row + 1) * classes; c++) sum += data[c]! >= 0 ? data[c]! : Number.NaN;
    if (Math.abs(sum - 1) <= 1e-3) continue;
    throw new LmdError('DATA_CORRUPT', `Data set "${dataset.name}": row ${row} of softLabels is not a distribution.`, {
      subject: `softLabels[${row}]`,
      value: sum,
      remedy: 'Its values must be at least 0 and add up to 1.',
    });
  }
}

/** Throws if a value is not a data set. */
export function checkDataset(caller: string, subject: string, dataset: Dataset): void {
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.batch !== 'function') {
    throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is not a data set.`, {
      subject,
      value: dataset,
      remedy: 'Use an object with name, size, inputShape and the function batch, such as the result of arrayDataset.',
    });
  }
  const { name, size } = dataset;
  if (typeof name === 'string' && Number.isSafeInteger(size) && size >= 1) return;
  const [wrong, value, remedy] =
    typeof name === 'string'
      ? ['size', size, 'Use the number of examples, at least 1.']
      : ['name', name, 'Use a string.'];
  throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject}.${wrong} is ${String(value)}.`, {
    subject: `${subject}.${wrong}`,
    value,
    remedy,
  });
}
