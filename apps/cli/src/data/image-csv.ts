import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { openImageTable, readImageTable } from '@lmd/data/node';
import { picturePreprocessing } from './preprocessing.js';
import type { DataSource } from './source.js';
import { splitImages } from './split-images.js';

/** Images that a CSV file lists. */
export const imageCsv: DataSource<'imageCsv'> = {
  locate(configuration) {
    const path = resolve(configuration.path);
    if (!existsSync(path) || statSync(path).isDirectory()) {
      const problem = existsSync(path) ? 'which is a folder' : 'which does not exist';
      throw new LmdError('FILE_SYSTEM', `data.path is ${path}, ${problem}.`, {
        subject: 'data.path',
        value: path,
        remedy: 'Use a CSV file with a line for each image, or data.kind = imageFolder for a folder of images.',
      });
    }
    readImageTable(path, configuration, 'data.');
    return { ...configuration, path };
  },
  geometry(configuration) {
    const { classNames } = readImageTable(configuration.path, configuration, 'data.');
    return {
      kind: 'images',
      imageSize: configuration.size,
      channels: 3,
      classes: classNames.length,
      classNames,
      preprocessing: picturePreprocessing(configuration),
    };
  },
  async load(configuration, seed) {
    const { path, pathColumn, labelColumn, undecodable } = configuration;
    const preprocessing = picturePreprocessing(configuration);
    const images = await openImageTable({ path, pathColumn, labelColumn, undecodable, preprocessing });
    return await splitImages(images, configuration, seed);
  },
  describe: ({ path }) => `images from ${path}`,
};
