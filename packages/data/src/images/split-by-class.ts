import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { permutation } from '@lmd/training';

const owner = 'splitByClass';

/** The options of `splitByClass`, declared once. */
export const splitByClassOptionTable = {
  /**
   * Number of examples to hold out for validation, none or at least one a class. A whole number, at least 0; required.
   */
  validation: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Number of examples to hold out for validation, none or at least one a class.',
  }),
  /**
   * Number of examples to hold out for the test, none or at least one a class. A whole number, at least 0; required.
   */
  test: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Number of examples to hold out for the test, none or at least one a class.',
  }),
  /** Random seed of the split. A whole number, at least 0; required. */
  seed: option.integer({ atLeast: 0, required: true, describe: 'Random seed of the split.' }),
} as const satisfies OptionTable;

export interface SplitByClassOptions extends OptionsOf<typeof splitByClassOptionTable> {}

/** Indices of the examples of each part, in ascending order. */
export interface ClassSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/**
 * Splits examples at random so that each part has every class, in proportion to its number of examples and at least
 * once (a stratified split). It depends only on the seed and the labels.
 *
 * @param labels class of each example, from 0.
 * @param classNames names of the classes, for errors.
 * @throws LmdError `DATA_CORRUPT` naming a class with fewer examples than parts; `INVALID_ARGUMENT` naming an option
 * that leaves a class without a training example, or is below the number of classes.
 */
export function splitByClass(
  labels: ArrayLike<number>,
  classNames: readonly string[],
  options: SplitByClassOptions,
): ClassSplit {
  const { validation, test, seed } = resolveOptions(owner, splitByClassOptionTable, options);
  const members: number[][] = classNames.map(() => []);
  for (let index = 0; index < labels.length; index++) members[labels[index]!]!.push(index);
  const sizes = members.map(({ length }) => length);
  const heldOut = { validation, test };
  const parts = 1 + Object.values(heldOut).filter((count) => count > 0).length;
  sizes.forEach((size, label) => {
    if (size < parts) throw tooFew(classNames[label]!, size, parts);
  });
  const largest = labels.length - classNames.length;
  for (const [name, count] of Object.entries(heldOut)) {
    if (count > 0 && count < classNames.length) {
      throw notAllowed(name, count, `there are ${classNames.length} classes`, `Use at least ${classNames.length}.`);
    }
  }
  if (validation + test > largest) {
    const name = validation > 0 ? 'validation' : 'test';
    const problem = `of ${labels.length} examples in ${classNames.length} classes at most ${largest} can be held out`;
    throw notAllowed(name, heldOut[name], problem, 'Use smaller numbers for validation and test.');
  }
  const tested = shares(test, sizes, validation > 0 ? 2 : 1);
  const validated = shares(
    validation,
    sizes.map((size, label) => size - tested[label]!),
    1,
  );
  const chosen = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  members.forEach((indices, label) => {
    const order = permutation(indices.length, seed, 'split-by-class', label);
    const first = tested[label]!;
    const second = first + validated[label]!;
    order.forEach((position, rank) => {
      const part = rank < first ? 'test' : rank < second ? 'validation' : 'train';
      chosen[part].push(indices[position]!);
    });
  });
  const sorted = (indices: readonly number[]) => Int32Array.from(indices).sort();
  return { train: sorted(chosen.train), validation: sorted(chosen.validation), test: sorted(chosen.test) };
}

/**
 * Divides `count` in proportion to the sizes by largest remainders, with at least one each, and at least `kept` left of
 * each.
 */
function shares(count: number, sizes: readonly number[], kept: number): number[] {
  if (count === 0) return sizes.map(() => 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const quotas = sizes.map((size) => (count * size) / total);
  const given = quotas.map((quota, label) => Math.min(Math.max(1, Math.floor(quota)), sizes[label]! - kept));
  let left = count - given.reduce((sum, share) => sum + share, 0);
  while (left !== 0) {
    const step = Math.sign(left);
    let best = -1;
    given.forEach((share, label) => {
      const next = share + step;
      if (next < 1 || next > sizes[label]! - kept) return;
      // The class that is furthest below (or above) its quota.
      if (best < 0 || step * (quotas[label]! - share) > step * (quotas[best]! - given[best]!)) best = label;
    });
    given[best]! += step;
    left -= step;
  }
  return given;
}

function tooFew(className: string, size: number, parts: number): LmdError {
  const examples = size === 1 ? '1 image' : `${size} images`;
  return new LmdError('DATA_CORRUPT', `The class ${className} has ${examples}, but each of ${parts} parts needs one.`, {
    subject: className,
    value: size,
    remedy: `Add images until it has at least ${parts}, or remove the class.`,
  });
}

function notAllowed(name: string, value: number, problem: string, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${value}, but ${problem}.`, {
    subject: name,
    value,
    remedy,
  });
}
