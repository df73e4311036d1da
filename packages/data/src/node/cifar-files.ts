import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type OptionsOf, type OptionTable, option, resolveOptions, withoutByteOrderMark } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';
import { type CifarImages, checkCifarLength, parseCifar10, parseCifar100 } from '../images/cifar.js';
import { type ImageSource, imagesInMemory } from '../images/image.js';
import { readWhole } from './read-file.js';

/** The options of `readCifar10Folder` and `readCifar100Folder`, declared once. */
export const cifarFolderOptionTable = {
  /** Folder of the unpacked binary version: `cifar-10-batches-bin` or `cifar-100-binary`. Required. */
  folder: option.text({
    required: true,
    describe: 'Folder of the unpacked binary version: `cifar-10-batches-bin` or `cifar-100-binary`.',
  }),
} as const satisfies OptionTable;

export interface CifarFolderOptions extends OptionsOf<typeof cifarFolderOptionTable> {}

/**
 * Reads CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of 10,000 images each, and the class
 * names from `batches.meta.txt` if it exists.
 *
 * @throws LmdError `FILE_SYSTEM` for a missing file; `DATA_CORRUPT` for a file with the wrong length or an invalid
 * class.
 */
export async function readCifar10Folder(
  options: CifarFolderOptions,
): Promise<{ readonly train: ImageSource; readonly test: ImageSource }> {
  const { folder } = resolveOptions('readCifar10Folder', cifarFolderOptionTable, options);
  const names = cifarClassNames(folder, 10);
  const read = async (file: string) => {
    const path = join(folder, file);
    return parseCifar10(await readBytes(path, 1, 10_000), path, 10_000);
  };
  const batches: CifarImages[] = [];
  for (let batch = 1; batch <= 5; batch++) batches.push(await read(`data_batch_${batch}.bin`));
  return {
    train: source('cifar10/train', joined(batches), 10, names),
    test: source('cifar10/test', await read('test_batch.bin'), 10, names),
  };
}

/**
 * Reads CIFAR-100: `train.bin` of 50,000 images and `test.bin` of 10,000, with their fine classes, and the class names
 * from `fine_label_names.txt` if it exists.
 *
 * @throws LmdError as `readCifar10Folder`.
 */
export async function readCifar100Folder(
  options: CifarFolderOptions,
): Promise<{ readonly train: ImageSource; readonly test: ImageSource }> {
  const { folder } = resolveOptions('readCifar100Folder', cifarFolderOptionTable, options);
  const names = cifarClassNames(folder, 100);
  const read = async (file: string, images: number) => {
    const path = join(folder, file);
    return parseCifar100(await readBytes(path, 2, images), path, images);
  };
  return {
    train: source('cifar100/train', await read('train.bin', 50_000), 100, names),
    test: source('cifar100/test', await read('test.bin', 10_000), 100, names),
  };
}

function source(
  name: string,
  data: CifarImages,
  classes: number,
  classNames: readonly string[] | undefined,
): ImageSource {
  return imagesInMemory({
    name,
    images: data.images,
    labels: data.labels,
    height: 32,
    width: 32,
    channels: 3,
    classes,
    ...(classNames === undefined ? {} : { classNames }),
  });
}

function joined(batches: readonly CifarImages[]): CifarImages {
  const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  return { images: join(batches.map(({ images }) => images)), labels: join(batches.map(({ labels }) => labels)) };
}

async function readBytes(path: string, labels: number, images: number): Promise<Uint8Array> {
  return await readWhole(path, 0, (size) => checkCifarLength(size, path, labels, images));
}

const maxNamesBytes = 1 << 16;
const namesFiles = { 10: 'batches.meta.txt', 100: 'fine_label_names.txt' } as const;

/**
 * The class names of CIFAR-10 or CIFAR-100 in label order, from `batches.meta.txt` or `fine_label_names.txt`, with one
 * name per line. The names are only informational: undefined if the file is missing, too long or has another number of
 * lines.
 *
 * @throws LmdError `FILE_SYSTEM` for a file that cannot be read.
 */
export function cifarClassNames(folder: string, classes: 10 | 100): readonly string[] | undefined {
  const path = join(folder, namesFiles[classes]);
  let text: string;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true || found.size > maxNamesBytes) return undefined;
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
  const names = withoutByteOrderMark(text)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return names.length === classes ? names : undefined;
}
