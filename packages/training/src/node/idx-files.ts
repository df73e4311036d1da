import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gunzip } from 'node:zlib';
import { isLmdError, LmdError } from '@lmd/core';
import type { Dataset } from '../data/dataset.js';
import { type IdxArray, idxLength, parseIdx } from '../data/idx.js';
import { imageDataset } from '../data/image-dataset.js';
import { refuseUnknownOptions } from '../options.js';
import { hasCode, withFileErrors } from './file-errors.js';

const unzip = promisify(gunzip);

/**
 * Reads an IDX file; one whose name ends in `.gz` is decompressed.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` for a file that is cut or wrong.
 */
export async function readIdxFile(path: string): Promise<IdxArray> {
  const bytes = await withFileErrors('read', path, () => readFile(path));
  if (!path.endsWith('.gz')) return parseIdx(bytes, path);
  let unzipped: Buffer;
  try {
    unzipped = await unzipIdx(bytes, path);
  } catch (cause) {
    if (isLmdError(cause)) throw cause;
    throw new LmdError('DATA_CORRUPT', `${path} is not a whole gzip file.`, {
      subject: path,
      remedy: 'Download or copy it again.',
      cause,
    });
  }
  return parseIdx(unzipped, path);
}

/** Compressed bytes that hold more than the longest header. */
const startBytes = 4096;
/** Deflate never makes more of a byte (RFC 1951; 258 bytes take two bits). */
const mostInflation = 1032;

/** No further than the header says that the file goes: a small file can be made to fill the memory. */
async function unzipIdx(bytes: Buffer, path: string): Promise<Buffer> {
  const start = await unzip(bytes.subarray(0, startBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  const length = idxLength(start, path);
  // Too long a header for these bytes: what there is says so.
  if (length > bytes.length * mostInflation) return start;
  // One byte more, so that a longer file is seen to be longer.
  return await unzip(bytes, { maxOutputLength: length + 1 }).catch((error) => {
    if (!hasCode(error, 'ERR_BUFFER_TOO_LARGE')) throw error;
    throw new LmdError('DATA_CORRUPT', `${path} holds more than the ${length} bytes that its header says.`, {
      subject: path,
      value: length,
      remedy: 'Download or copy it again.',
    });
  });
}

export interface MnistFolderOptions {
  readonly folder: string;
  /** Default `mnist`. */
  readonly name?: string;
  /** Of the pixels on a scale from 0 to 1. Default 0.1307, MNIST's own. */
  readonly mean?: number;
  /** Default 0.3081, MNIST's own. */
  readonly standardDeviation?: number;
  /** Default 10. */
  readonly classes?: number;
}

/**
 * Reads a data set in MNIST's four files, as Fashion-MNIST and others have them too: `train-images-idx3-ubyte`,
 * `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, with `.idx` for `-idx` and with `.gz` too.
 *
 * @throws LmdError `FILE_SYSTEM` for a missing file; `DATA_CORRUPT` for one that is cut, wrong, or does not fit the other.
 */
export async function readMnistFolder(
  options: MnistFolderOptions,
): Promise<{ readonly train: Dataset; readonly test: Dataset }> {
  refuseUnknownOptions('readMnistFolder', options, ['folder', 'name', 'mean', 'standardDeviation', 'classes']);
  const { folder, name = 'mnist', mean = 0.1307, standardDeviation = 0.3081, classes = 10 } = options;
  const entries = await withFileErrors('list', folder, () => readdir(folder));
  const read = async (part: string, kind: 'images-idx3' | 'labels-idx1') => {
    const stem = `${part}-${kind}-ubyte`;
    const names = [stem, stem.replace('-idx', '.idx')].flatMap((file) => [file, `${file}.gz`]);
    const path = join(folder, names.find((file) => entries.includes(file)) ?? stem);
    return { path, ...(await readIdxFile(path)) };
  };
  const dataset = async (part: string, label: string): Promise<Dataset> => {
    const images = await read(part, 'images-idx3');
    const [count, height, width] = images.shape as readonly [number, number, number];
    if (!(images.data instanceof Uint8Array) || images.shape.length !== 3) {
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

function wrong(path: string, shape: readonly number[], expected: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} holds an array of shape [${shape.join(', ')}], not ${expected}.`, {
    subject: path,
    value: shape,
    remedy: 'Check that the four files belong together, or download them again.',
  });
}
