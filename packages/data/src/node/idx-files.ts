import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions, textOption } from '@lmd/core';
import { type Dataset, imageDataset } from '@lmd/training';
import { withFileErrors } from '@lmd/training/node';
import { checkIdxLength, type IdxArray, idxHeader, idxHeaderLimit, parseIdx } from '../images/idx.js';
import { mnistNormalization } from '../images/mnist.js';
import { readWhole } from './read-file.js';

/**
 * Reads an IDX file, optionally compressed with gzip. At most the length in the header is read or decompressed.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` for a file that is truncated, invalid, or longer than its header
 * states.
 */
export async function readIdxFile(path: string): Promise<IdxArray> {
  textOption('readIdxFile', 'path', path);
  let isCompressed = false;
  const bytes = await readWhole(path, idxHeaderLimit, (size, head) => {
    // An IDX file begins with zeros.
    isCompressed = head[0] === 0x1f && head[1] === 0x8b;
    if (!isCompressed) checkIdxLength(idxHeader(head, path), size, path);
  });
  return parseIdx(isCompressed ? await decompressed(bytes, path) : bytes, path);
}

/**
 * Stops as soon as there is more data than the header states: a few hundred kilobytes of gzip can contain gigabytes.
 */
async function decompressed(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const unzip = createGunzip();
  const chunks: Buffer[] = [];
  let length = 0;
  let limit: number | undefined;
  const measure = () => {
    limit ??= idxHeader(Buffer.concat(chunks), path).length;
    if (length > limit) checkIdxLength(idxHeader(Buffer.concat(chunks), path), length, path);
  };
  try {
    unzip.end(bytes);
    for await (const chunk of unzip as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= idxHeaderLimit) measure();
    }
  } catch (cause) {
    if (cause instanceof LmdError) throw cause;
    throw new LmdError('DATA_CORRUPT', `${path} is not a complete gzip file.`, {
      subject: path,
      remedy: 'Download or copy it again.',
      cause,
    });
  }
  return Buffer.concat(chunks);
}

const { mean: usualMean, standardDeviation: usualDeviation } = mnistNormalization.mnist;

/** The options of `readMnistFolder`, declared once. */
export const mnistFolderOptionTable = {
  /** Folder of the four IDX files. Required. */
  folder: option.text({ required: true, describe: 'Folder of the four IDX files.' }),
  /** Name of the data in errors and checkpoints. Default mnist. */
  name: option.text({ default: 'mnist', describe: 'Name of the data in errors and checkpoints.' }),
  /** Mean of the pixels, on a scale from 0 to 1; the default is that of MNIST. Default 0.1307. */
  mean: option.number({
    default: usualMean,
    describe: 'Mean of the pixels, on a scale from 0 to 1; the default is that of MNIST.',
  }),
  /**
   * Standard deviation of the pixels, on a scale from 0 to 1; the default is that of MNIST. Above 0; default 0.3081.
   */
  standardDeviation: option.number({
    above: 0,
    default: usualDeviation,
    describe: 'Standard deviation of the pixels, on a scale from 0 to 1; the default is that of MNIST.',
  }),
  /** Number of classes. A whole number, at least 1; default 10. */
  classes: option.integer({ atLeast: 1, default: 10, describe: 'Number of classes.' }),
} as const satisfies OptionTable;

export interface MnistFolderOptions extends OptionsOf<typeof mnistFolderOptionTable> {}

/**
 * Reads a data set in the four files of MNIST, also used by Fashion-MNIST and others: `train-images-idx3-ubyte`,
 * `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, with `.idx` for `-idx` and with
 * `.gz` too.
 *
 * @throws LmdError `FILE_SYSTEM` for a missing file; `DATA_CORRUPT` for one that is truncated, invalid, or does not
 * match the other.
 */
export async function readMnistFolder(
  options: MnistFolderOptions,
): Promise<{ readonly train: Dataset; readonly test: Dataset }> {
  const checked = resolveOptions('readMnistFolder', mnistFolderOptionTable, options);
  const { folder, name, mean, standardDeviation, classes } = checked;
  const entries = await withFileErrors('list', folder, () => readdir(folder));
  const read = async (part: string, kind: 'images-idx3' | 'labels-idx1') => {
    const names = namesOf(part, kind);
    const path = join(folder, names.find((file) => entries.includes(file)) ?? names[0]!);
    return { path, ...(await readIdxFile(path)) };
  };
  const dataset = async (part: string, label: string): Promise<Dataset> => {
    const images = await read(part, 'images-idx3');
    const [count, height, width] = images.shape as readonly [number, number, number];
    if (!(images.data instanceof Uint8Array) || images.shape.length !== 3 || images.data.length === 0) {
      throw wrong(images.path, images.shape, 'bytes of shape [images, height, width]');
    }
    const labels = await read(part, 'labels-idx1');
    if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1 || labels.shape[0] !== count) {
      throw wrong(labels.path, labels.shape, `${count} bytes, a label for each image of ${images.path}`);
    }
    return imageDataset({
      name: `${name}/${label}`,
      images: images.data,
      labels: labels.data,
      height,
      width,
      channels: 1,
      classes,
      mean,
      standardDeviation,
    });
  };
  return { train: await dataset('train', 'train'), test: await dataset('t10k', 'test') };
}

/** The names of a file, with `.idx` for `-idx` and with `.gz` too. */
function namesOf(part: string, kind: 'images-idx3' | 'labels-idx1'): string[] {
  const stem = `${part}-${kind}-ubyte`;
  return [stem, stem.replace('-idx', '.idx')].flatMap((file) => [file, `${file}.gz`]);
}

/** Whether a folder has the training images of MNIST's layout, for a program that looks for them. */
export function hasMnistFiles(folder: string): boolean {
  return namesOf('train', 'images-idx3').some((file) => existsSync(join(folder, file)));
}

function wrong(path: string, shape: readonly number[], expected: string): LmdError {
  return new LmdError(
    'DATA_CORRUPT',
    `${path} contains an array of shape [${shape.join(', ')}] instead of ${expected}.`,
    {
      subject: path,
      value: shape,
      remedy: 'Check that the four files belong together, or download them again.',
    },
  );
}
