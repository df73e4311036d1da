import { LmdError } from '@lmd/core';
import { type Dataset, split } from '@lmd/training';
import { usualValidation } from '../configuration/data-schema.js';

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
  const count =
    validation === undefined
      ? Math.max(1, Math.min(usualValidation, Math.floor(size / 10)))
      : validation < 1
        ? Math.round(validation * size)
        : validation;
  if (count >= 1 && count < size) return split(dataset, { validation: count, seed });
  const given = validation ?? count;
  const problem = `data.validation is ${given}${given < 1 ? `, which is ${count} examples` : ''}`;
  throw new LmdError('INVALID_ARGUMENT', `${problem}, but there are ${size} training examples.`, {
    subject: 'data.validation',
    value: given,
    remedy:
      size < 2
        ? 'Training and validation need at least one example each: add examples.'
        : `Use a number below ${size}, or a fraction such as 0.2.`,
  });
}
