import { LmdError } from '@lmd/core';
import { splitByClass } from '@lmd/data/images';
import { type Dataset, split, subset } from '@lmd/training';
import { usualValidation } from '../configuration/data-schema.js';

/** Number of examples that a key of the configuration holds out: a number, a fraction, or the default. */
function countOf(given: number | undefined, size: number): number {
  if (given === undefined) return Math.max(1, Math.min(usualValidation, Math.floor(size / 10)));
  return given < 1 ? Math.round(given * size) : given;
}

function refuse(key: string, given: number, count: number, problem: string, remedy: string): LmdError {
  const subject = `data.${key}`;
  const value = `${subject} is ${given}${given < 1 ? `, which is ${count} examples` : ''}`;
  return new LmdError('INVALID_ARGUMENT', `${value}, but ${problem}.`, { subject, value: given, remedy });
}

/**
 * Holds out training examples for validation.
 *
 * @param validation number, or fraction (default: `usualValidation`, at most a tenth).
 * @throws LmdError `INVALID_ARGUMENT` naming `data.validation` if it leaves no example for training or for validation.
 */
export function holdOut(
  dataset: Dataset,
  validation: number | undefined,
  seed: number,
): { readonly train: Dataset; readonly validation: Dataset } {
  const { size } = dataset;
  const count = countOf(validation, size);
  if (count >= 1 && count < size) return split(dataset, { validation: count, seed });
  const remedy =
    size < 2
      ? 'Training and validation need at least one example each: add examples.'
      : `Use a number below ${size}, or a fraction such as 0.2.`;
  throw refuse('validation', validation ?? count, count, `there are ${size} training examples`, remedy);
}

/** Images with classes, of which some are held out. */
export interface Labelled {
  readonly size: number;
  readonly classNames: readonly string[];
  label(index: number): number;
}

/**
 * Splits images that have no test set into three parts, each with every class.
 *
 * @param training the images as a data set with augmentation.
 * @param plain the same without augmentation.
 * @param given number or fraction of each part that is held out (default: `usualValidation`, at most a tenth, and at
 *   least one of each class).
 * @throws LmdError `INVALID_ARGUMENT` naming `data.validation` or `data.test`; `DATA_CORRUPT` naming a class with fewer
 *   than three images.
 */
export function holdOutByClass(
  { size, classNames, label }: Labelled,
  training: Dataset,
  plain: Dataset,
  given: { readonly validation?: number | undefined; readonly test?: number | undefined },
  seed: number,
): { readonly train: Dataset; readonly validation: Dataset; readonly test: Dataset } {
  const classes = classNames.length;
  const count = (key: 'validation' | 'test') => {
    const asked = given[key];
    const number = countOf(asked, size);
    if (asked === undefined) return Math.max(number, classes);
    if (number >= classes && number <= size - classes) return number;
    const problem = `there are ${size} images of ${classes} ${classes === 1 ? 'class' : 'classes'}, and every part has every class`;
    throw refuse(
      key,
      asked,
      number,
      problem,
      `Use a number from ${classes} to ${size - 2 * classes}, or a fraction such as 0.2.`,
    );
  };
  const labels = Int32Array.from({ length: size }, (_, index) => label(index));
  // Of a class that is too small for any numbers, `splitByClass` says so.
  const isTooSmall = countsOf(labels, classes).some((images) => images < 3);
  const [validation, test] = isTooSmall ? [classes, classes] : [count('validation'), count('test')];
  if (!isTooSmall && validation + test > size - classes) {
    const problem = `data.test is ${test}, and ${size} images of ${classes} classes leave no training image of each`;
    const remedy = `Use smaller numbers: together at most ${size - classes}.`;
    throw refuse('validation', given.validation ?? validation, validation, problem, remedy);
  }
  const parts = splitByClass(labels, classNames, { validation, test, seed });
  return {
    train: subset(training, parts.train, `${training.name}/train`),
    validation: subset(plain, parts.validation, `${plain.name}/validation`),
    test: subset(plain, parts.test, `${plain.name}/test`),
  };
}

function countsOf(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}
