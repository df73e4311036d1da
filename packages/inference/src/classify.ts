import { LmdError, type OptionsOf, type OptionTable, option } from '@lmd/core';

/** The options of `classify`, declared once. */
export const classifyOptionTable = {
  /** Number of the most probable classes in `top`. A whole number, at least 1; default 5. */
  topK: option.integer({ atLeast: 1, default: 5, describe: 'Number of the most probable classes in `top`.' }),
  /**
   * Number of posterior samples whose class probabilities are averaged. Needs the checkpoint of a run whose optimizer
   * has a posterior. Default: the stored weights. A whole number, at least 1.
   */
  samples: option.integer({
    atLeast: 1,
    describe:
      'Number of posterior samples whose class probabilities are averaged. Needs the checkpoint of a run whose ' +
      'optimizer has a posterior. Default: the stored weights.',
  }),
  /** Random seed of the posterior samples. Default: that of the run. A whole number, at least 0. */
  seed: option.integer({ atLeast: 0, describe: 'Random seed of the posterior samples. Default: that of the run.' }),
  /** Number of images in one forward pass. A whole number, at least 1; default 32. */
  batchSize: option.integer({ atLeast: 1, default: 32, describe: 'Number of images in one forward pass.' }),
} as const satisfies OptionTable;

export interface ClassifyOptions extends OptionsOf<typeof classifyOptionTable> {}

/** A class and its probability. */
export interface ClassProbability {
  readonly label: number;
  readonly className: string;
  /** With `samples`, the mean over the samples. */
  readonly probability: number;
  /** Standard deviation of the probability over the samples; absent for fewer than two. */
  readonly spread?: number;
}

/** The prediction for one image: its most probable class, and the others. */
export interface Classification extends ClassProbability {
  /** The `topK` most probable classes, in descending order. */
  readonly top: readonly ClassProbability[];
  /** By label; they add up to 1. */
  readonly probabilities: Float64Array;
  /** By label: standard deviations over the samples; absent for fewer than two. */
  readonly spreads?: Float64Array;
}

/** Collects the class probabilities of images over samples. */
export class ProbabilityMeans {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  #first: Float64Array | undefined;
  #samples = 0;

  constructor(
    readonly images: number,
    readonly classes: number,
  ) {
    this.#sums = new Float64Array(images * classes);
    this.#squares = new Float64Array(images * classes);
  }

  /** Adds one sample: [images, classes]. Sums are of differences to the first, which lose no digits. */
  add(probabilities: Float64Array): void {
    this.#samples += 1;
    this.#first ??= probabilities;
    for (let i = 0; i < probabilities.length; i++) {
      const difference = probabilities[i]! - this.#first[i]!;
      this.#sums[i]! += difference;
      this.#squares[i]! += difference * difference;
    }
  }

  /** The prediction for an image. */
  result(image: number, classNames: readonly string[], topK: number): Classification {
    const count = this.#samples;
    const from = image * this.classes;
    const probabilities = new Float64Array(this.classes);
    const spreads = count > 1 ? new Float64Array(this.classes) : undefined;
    for (let label = 0; label < this.classes; label++) {
      const sum = this.#sums[from + label]!;
      probabilities[label] = this.#first![from + label]! + sum / count;
      if (spreads === undefined) continue;
      const variance = (this.#squares[from + label]! - (sum * sum) / count) / (count - 1);
      spreads[label] = Math.sqrt(Math.max(0, variance));
    }
    const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
    const entry = (label: number): ClassProbability => ({
      label,
      className: classNames[label]!,
      probability: probabilities[label]!,
      ...(spreads === undefined ? {} : { spread: spreads[label]! }),
    });
    return {
      ...entry(order[0]!),
      top: order.slice(0, topK).map(entry),
      probabilities,
      ...(spreads === undefined ? {} : { spreads }),
    };
  }
}

/**
 * Probabilities [images, classes] of logits of the same shape, in double precision.
 *
 * @throws LmdError `NON_FINITE` if a logit is NaN or infinite.
 */
export function softmaxRows(logits: ArrayLike<number>, classes: number): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = from; i < from + classes; i++) {
      if (!Number.isFinite(logits[i])) {
        throw new LmdError('NON_FINITE', `The logit of class ${i - from} is ${logits[i]}.`, {
          subject: 'logits',
          value: logits[i],
          remedy: 'Check that weights and inputs are finite: lmd inspect shows the weights of a file.',
        });
      }
      largest = Math.max(largest, logits[i]!);
    }
    let sum = 0;
    for (let i = from; i < from + classes; i++) {
      probabilities[i] = Math.exp(logits[i]! - largest);
      sum += probabilities[i]!;
    }
    for (let i = from; i < from + classes; i++) probabilities[i]! /= sum;
  }
  return probabilities;
}
