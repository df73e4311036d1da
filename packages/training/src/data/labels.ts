import { LmdError } from '@lmd/core';

/** The labels as i32, each an integer in [0, classes). Throws `DATA_CORRUPT` naming the first that is not. */
export function checkedLabels(dataset: string, labels: ArrayLike<number>, classes: number): Int32Array {
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
