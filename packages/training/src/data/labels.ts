import { LmdError } from '@lmd/core';
import { dtypeOf } from './host-array.js';

/** The labels as i32, each an integer in [0, classes). Throws `DATA_CORRUPT` naming the first that is not. */
export function checkedLabels(dataset: string, labels: ArrayLike<number>, classes: number): Int32Array {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new LmdError('INVALID_ARGUMENT', `Data set "${dataset}": classes is ${classes}.`, {
      subject: 'classes',
      value: classes,
      remedy: 'Use the number of classes, a positive integer.',
    });
  }
  if (dtypeOf(labels) === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `Data set "${dataset}": labels is not an array of numbers.`, {
      subject: 'labels',
      value: labels,
      remedy: 'Use one integer per example, such as Int32Array.of(0, 1).',
    });
  }
  const checked = new Int32Array(labels.length);
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new LmdError('DATA_CORRUPT', `Data set "${dataset}": the label of example ${index} is ${label}.`, {
        subject: `labels[${index}]`,
        value: label,
        remedy: `Labels must be integers from 0 to ${classes - 1}. Check the file and the number of classes.`,
      });
    }
    checked[index] = label;
  }
  return checked;
}
