import { isTypedArray, LmdError } from '@lmd/core';
import { argumentError } from '../options.js';

const side = 32;
const plane = side * side;
const channels = 3;

export interface CifarImages {
  /** [images, 32, 32, 3], row-major. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Cifar100Images extends CifarImages {
  /** The superclass of each image, 0 to 19. `labels` holds the fine classes, 0 to 99. */
  readonly coarseLabels: Uint8Array;
}

/** Usual mean and standard deviation of the training pixels on a scale from 0 to 1, by channel. */
export const cifarNormalization = {
  cifar10: { mean: [0.4914, 0.4822, 0.4465], standardDeviation: [0.247, 0.2435, 0.2616] },
  cifar100: { mean: [0.5071, 0.4865, 0.4409], standardDeviation: [0.2673, 0.2564, 0.2762] },
} as const;

/**
 * Parses a file of the binary version of CIFAR-10: for each image one byte for its class and 3072 bytes for the red,
 * green and blue planes (A. Krizhevsky, "The CIFAR-10 dataset", binary version).
 *
 * @param file for the error message.
 * @param images expected number of images. Default: any.
 * @throws LmdError `DATA_CORRUPT` naming the file and the problem.
 */
export function parseCifar10(bytes: Uint8Array, file = 'the CIFAR-10 data', images?: number): CifarImages {
  const { labels, ...rest } = parse(bytes, file, [10], images);
  return { ...rest, labels: labels[0]! };
}

/** The same for CIFAR-100, whose images begin with two bytes: the coarse and the fine class. */
export function parseCifar100(bytes: Uint8Array, file = 'the CIFAR-100 data', images?: number): Cifar100Images {
  const { labels, ...rest } = parse(bytes, file, [20, 100], images);
  return { ...rest, coarseLabels: labels[0]!, labels: labels[1]! };
}

/** Bytes of an image with its labels. */
function recordOf(labels: number): number {
  return labels + channels * plane;
}

/**
 * Throws for a file of the wrong length, before it is read.
 *
 * @param labels number of labels per image: 1 in CIFAR-10, 2 in CIFAR-100.
 * @param images expected number of images; any positive number if absent.
 * @throws LmdError `DATA_CORRUPT`.
 */
export function checkCifarLength(length: number, file: string, labels: number, images?: number): void {
  const record = recordOf(labels);
  const count = length / record;
  if (Number.isInteger(count) && count >= 1 && (images === undefined || count === images)) return;
  const expected = images === undefined ? `a multiple of ${record}` : `${images} × ${record}`;
  throw corrupt(file, `has ${length} bytes, not ${expected}`, length);
}

function parse(
  bytes: Uint8Array,
  file: string,
  classes: readonly number[],
  expected: number | undefined,
): { readonly images: Uint8Array; readonly labels: readonly Uint8Array[] } {
  if (!isTypedArray(bytes, 'Uint8Array')) throw argumentError('parseCifar', 'bytes', bytes, 'Use a Uint8Array.');
  const record = recordOf(classes.length);
  checkCifarLength(bytes.length, file, classes.length, expected);
  const count = bytes.length / record;
  const labels = classes.map(() => new Uint8Array(count));
  const images = new Uint8Array(count * channels * plane);
  for (let image = 0; image < count; image++) {
    const from = image * record;
    classes.forEach((limit, kind) => {
      const label = bytes[from + kind]!;
      if (label >= limit)
        throw corrupt(file, `has the class ${label} at image ${image}, but the largest class is ${limit - 1}`, label);
      labels[kind]![image] = label;
    });
    const to = image * channels * plane;
    for (let channel = 0; channel < channels; channel++) {
      const planeFrom = from + classes.length + channel * plane;
      for (let pixel = 0; pixel < plane; pixel++) images[to + pixel * channels + channel] = bytes[planeFrom + pixel]!;
    }
  }
  return { images, labels };
}

function corrupt(file: string, problem: string, value: number): LmdError {
  return new LmdError('DATA_CORRUPT', `${file} ${problem}.`, {
    subject: file,
    value,
    remedy: 'Use the unpacked binary version. Download it again if it is truncated.',
  });
}
