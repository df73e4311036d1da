import { LmdError } from '@lmd/core';
import { parseIdx } from '@lmd/data/images';
import type { DataKind } from '../settings/settings.js';
import type { Task } from '../training/task.js';
import { classOf } from './class-of.js';
import { digitsTask, type IdxPair, unzipped } from './digits.js';
import { type GivenPicture, picturesTask, type SmallPicture } from './pictures.js';
import { textTask } from './text.js';

/** Data of the user, as files by their paths. */
export type GivenFiles = readonly { readonly path: string; readonly blob: Blob }[];

/** What the data of a task is made from, beside the user's files. */
export interface DataSources {
  /** A file of the site. */
  fetch(name: string): Promise<Uint8Array>;
  decode(blob: Blob): Promise<SmallPicture>;
}

const speeches = 'speeches.txt.gz';
/** Clothes that are used of a larger file, so that a saved file stays small. */
const mostClothes = 6000;

/**
 * Opens what a run trains on.
 *
 * @param files of the user; without any, clothes and text are the site's own.
 * @throws LmdError saying what the files lack.
 */
export async function openTask(
  kind: DataKind,
  files: GivenFiles,
  seed: number,
  { fetch, decode }: DataSources,
): Promise<Task> {
  if (kind === 'digits' || (kind === 'clothes' && files.length === 0)) {
    const [images, labels] = await Promise.all([`${kind}-images.gz`, `${kind}-labels.gz`].map(fetch));
    return digitsTask(kind, { images: await unzipped(images!), labels: await unzipped(labels!) }, seed);
  }
  if (kind === 'clothes') return clothesTask(files, seed);
  if (kind === 'text') {
    const [given] = files;
    if (given === undefined) {
      return textTask('speeches', new TextDecoder().decode(await unzipped(await fetch(speeches))), seed);
    }
    return textTask(given.path.split('/').at(-1)!, await textOf(given.path, given.blob), seed);
  }
  const pictures = files.map(({ path, blob }): GivenPicture => ({ className: classOf(path), name: path, blob }));
  return picturesTask(pictures, seed, decode);
}

async function textOf(path: string, blob: Blob): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await blob.arrayBuffer());
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `${path} is no text in UTF-8.`, {
      subject: 'text',
      value: path,
      remedy: 'Use a plain text file.',
      cause,
    });
  }
}

/** Fashion-MNIST, or other images in its format, from a file of images and one of labels. */
async function clothesTask(files: GivenFiles, seed: number): Promise<Task> {
  let pair: Partial<IdxPair> = {};
  for (const { path, blob } of files) {
    const bytes = await unzipped(new Uint8Array(await blob.arrayBuffer()));
    const { shape } = parseIdx(bytes, path);
    if (shape.length === 3) pair = { ...pair, images: firstOf(bytes, shape, mostClothes) };
    if (shape.length === 1) pair = { ...pair, labels: firstOf(bytes, shape, mostClothes) };
  }
  if (pair.images === undefined || pair.labels === undefined) {
    const missing = [pair.images === undefined ? 'images' : '', pair.labels === undefined ? 'labels' : ''];
    throw new LmdError(
      'DATA_CORRUPT',
      `The IDX file of the ${missing.filter(Boolean).join(' and of the ')} is missing.`,
      {
        subject: 'clothes',
        remedy: 'Drop both files of Fashion-MNIST: train-images-idx3-ubyte and train-labels-idx1-ubyte, or their .gz.',
      },
    );
  }
  const task = digitsTask('clothes', pair as IdxPair, seed);
  return { ...task, files: { 'images-idx3-ubyte': pair.images, 'labels-idx1-ubyte': pair.labels } };
}

/** The first entries of an IDX file of bytes. */
function firstOf(bytes: Uint8Array, shape: readonly number[], most: number): Uint8Array {
  const [count = 0, ...rest] = shape;
  if (count <= most) return bytes;
  const each = rest.reduce((product, size) => product * size, 1);
  const start = 4 + 4 * shape.length;
  const first = bytes.slice(0, start + most * each);
  new DataView(first.buffer).setUint32(4, most);
  return first;
}
