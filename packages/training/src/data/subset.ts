import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { permutation } from './order.js';

/**
 * The examples of `dataset` at `indices`, in that order.
 *
 * @param name default `<dataset>/subset`.
 * @throws LmdError `INVALID_ARGUMENT` for an index out of range.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>, name = `${dataset.name}/subset`): Dataset {
  const chosen = Int32Array.from({ length: indices.length }, (_, position) => {
    const index = indices[position]!;
    if (!Number.isInteger(index) || index < 0 || index >= dataset.size) {
      throw new LmdError('INVALID_ARGUMENT', `subset: indices[${position}] is ${index}.`, {
        subject: `indices[${position}]`,
        value: index,
        remedy: `Data set "${dataset.name}" has examples 0 to ${dataset.size - 1}.`,
      });
    }
    return index;
  });
  return {
    name,
    size: chosen.length,
    get fingerprint() {
      const whole = dataset.fingerprint;
      return whole === undefined ? undefined : fingerprintOf([whole, chosen]);
    },
    ...(dataset.classes === undefined ? {} : { classes: dataset.classes }),
    inputShape: dataset.inputShape,
    batch: (positions, context) =>
      dataset.batch(
        positions.map((position) => chosen[position]!),
        context,
      ),
  };
}

/** The options of `split`, declared once. */
export const splitOptionTable = {
  /** Number of examples to hold out, or a fraction below 1. Above 0; required. */
  validation: option.number({
    above: 0,
    required: true,
    describe: 'Number of examples to hold out, or a fraction below 1.',
  }),
  /** Random seed of the split. A whole number, at least 0; required. */
  seed: option.integer({ atLeast: 0, required: true, describe: 'Random seed of the split.' }),
} as const satisfies OptionTable;

export interface SplitOptions extends OptionsOf<typeof splitOptionTable> {}

/**
 * Holds out examples for validation. The random choice depends only on the seed.
 * Both parts keep the order of the data set.
 *
 * @throws LmdError `INVALID_ARGUMENT` if either part would be empty.
 */
export function split(
  dataset: Dataset,
  options: SplitOptions,
): { readonly train: Dataset; readonly validation: Dataset } {
  const { validation, seed } = resolveOptions('split', splitOptionTable, options);
  const count = validation < 1 ? Math.round(validation * dataset.size) : validation;
  if (!Number.isInteger(count) || count < 1 || count >= dataset.size) {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `split: validation is ${validation}, but the data set has ${dataset.size} examples.`,
      {
        subject: 'validation',
        value: validation,
        remedy: `Use a number from 1 to ${dataset.size - 1}, or a fraction such as 0.2.`,
      },
    );
  }
  const shuffled = permutation(dataset.size, seed, 'validation-split', 0);
  return {
    train: subset(dataset, shuffled.slice(count).sort(), `${dataset.name}/train`),
    validation: subset(dataset, shuffled.slice(0, count).sort(), `${dataset.name}/validation`),
  };
}
