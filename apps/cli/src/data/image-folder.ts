import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { transformImages } from '@lmd/data/images';
import { classFolders, type ImageFolder, looseFiles, openImageFolder } from '@lmd/data/node';
import { augmentationOf } from './augmentation.js';
import { holdOut } from './held-out.js';
import { picturePreprocessing } from './preprocessing.js';
import type { RunData } from './run-data.js';
import type { Configured, DataSource } from './source.js';
import { splitImages } from './split-images.js';

type Configuration = Configured<'imageFolder'>;

/** The folders of the parts, if the folder has `train`; otherwise it has one folder per class. */
interface Parts {
  readonly train: string;
  /** With `train`, `val` and `test`, the images of `val` are the validation set. */
  readonly validation?: string;
  readonly test: string;
}

function partsOf(folder: string): Parts | undefined {
  const [train, val, test] = ['train', 'val', 'test'].map((name) => join(folder, name)) as [string, string, string];
  if (!existsSync(train)) return undefined;
  if (!existsSync(test)) return { train, test: val };
  return existsSync(val) ? { train, validation: val, test } : { train, test };
}

/** The classes of the training images, in label order. The other images may not have others. */
function classNames(folder: string): string[] {
  const parts = partsOf(folder);
  const from = parts?.train ?? folder;
  const names = classFolders(from);
  if (names.length === 0) {
    const where = parts === undefined ? 'it' : from;
    throw invalid(folder, `${where} has no subfolders`, 'Put the images of each class into a subfolder.');
  }
  for (const held of [parts?.validation, parts?.test]) {
    const other = held === undefined ? undefined : classFolders(held).find((name) => !names.includes(name));
    if (other === undefined) continue;
    throw new LmdError('DATA_CORRUPT', `${join(held!, other)} is a class that is missing in ${from}.`, {
      subject: 'data.folder',
      value: folder,
      remedy: `Rename or remove the folder, or add the class to train, whose classes are ${names.join(', ')}.`,
    });
  }
  return names;
}

function invalid(folder: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `data.folder is ${folder}, but ${problem}.`, {
    subject: 'data.folder',
    value: folder,
    remedy,
  });
}

/** Files and folders beside `train`, `val` and `test`. */
function besideParts(folder: string, parts: Parts): string[] {
  const used = Object.values(parts);
  const folders = classFolders(folder).map((name) => join(folder, name));
  return [...looseFiles(folder), ...folders.filter((path) => !used.includes(path))];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The parts of a folder with `train` and `test` (or `val`). */
async function loadParts(configuration: Configuration, parts: Parts, seed: number): Promise<RunData> {
  const { folder, undecodable, validation, test, augmentation } = configuration;
  const preprocessing = picturePreprocessing(configuration);
  if (test !== undefined) throw notBeside('test', test, parts.test);
  if (validation !== undefined && parts.validation !== undefined) {
    throw notBeside('validation', validation, parts.validation);
  }
  const opened: ImageFolder[] = [];
  const close = async () => {
    for (const one of opened) await one.close();
  };
  const open = async (from: string) => {
    const how = { undecodable, preprocessing };
    const one = await openImageFolder({ classNames: classNames(folder), folder: from, ...how });
    opened.push(one);
    return one;
  };
  try {
    const training = transformImages(await open(parts.train), {
      ...preprocessing,
      augmentation: augmentationOf(augmentation),
    });
    const plain = async (from: string) => transformImages(await open(from), preprocessing);
    const learned =
      parts.validation === undefined
        ? holdOut(training, validation, seed)
        : { train: training, validation: await plain(parts.validation) };
    return {
      ...learned,
      test: await plain(parts.test),
      skipped: opened.flatMap(({ skipped }) => skipped).map(({ path, reason }) => `${path}: ${reason}`),
      unused: [...besideParts(folder, parts), ...opened.flatMap(({ unused }) => unused)],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function notBeside(key: string, value: number, folder: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `data.${key} is ${value}, but ${folder} has the ${key} images.`, {
    subject: `data.${key}`,
    value,
    remedy: 'Omit the key, or move the images of both parts into one folder per class.',
  });
}

export const imageFolder: DataSource<'imageFolder'> = {
  locate(configuration) {
    const folder = resolve(configuration.folder);
    const missing = (path: string) =>
      new LmdError('FILE_SYSTEM', `data.folder is ${folder}, but ${path} does not exist.`, {
        subject: 'data.folder',
        value: folder,
        remedy:
          'Use a folder with one subfolder per class, or one with the subfolders train and test (or val), each with ' +
          'a subfolder per class.',
      });
    if (!isFolder(folder)) throw missing(existsSync(folder) ? 'a folder of that name' : 'it');
    const parts = partsOf(folder);
    if (parts !== undefined && !existsSync(parts.test)) throw missing(parts.test);
    classNames(folder);
    return { ...configuration, folder };
  },
  geometry(configuration) {
    const names = classNames(configuration.folder);
    return {
      kind: 'images',
      imageSize: configuration.size,
      channels: 3,
      classes: names.length,
      classNames: names,
      preprocessing: picturePreprocessing(configuration),
    };
  },
  async load(configuration, seed) {
    const { folder, undecodable } = configuration;
    const parts = partsOf(folder);
    if (parts !== undefined) return await loadParts(configuration, parts, seed);
    const preprocessing = picturePreprocessing(configuration);
    const images = await openImageFolder({ folder, undecodable, preprocessing });
    return { ...(await splitImages(images, configuration, seed)), unused: images.unused };
  },
  describe: ({ folder }) => `images from ${folder}`,
};
