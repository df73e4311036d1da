import { playwright } from '@vitest/browser-playwright';
import { mergeConfig } from 'vitest/config';
import { chromiumLaunch } from '../../vitest.browser.ts';
import { testConfig } from '../../vitest.shared.ts';

// The tests that need a browser: `node scripts/browser-tests.mjs` in the root finds one and runs them.
export default mergeConfig(
  testConfig({
    include: ['browser/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: '.vitest/browser-report.json' }]],
    fileParallelism: false,
    testTimeout: 120_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromiumLaunch() }),
      instances: [{ browser: 'chromium' }],
    },
  }),
  { server: { fs: { strict: false } } },
);
