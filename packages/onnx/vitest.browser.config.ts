import { playwright } from '@vitest/browser-playwright';
import { mergeConfig } from 'vitest/config';
import { chromiumLaunch } from '../../vitest.browser.ts';
import { testConfig } from '../../vitest.shared.ts';

// The tests that need a browser and transformers.js: `node scripts/browser-tests.mjs` in the root finds the one,
// installs the other, and runs them.
const engine = process.env.LMD_TRANSFORMERSJS;
if (engine === undefined) {
  throw new Error('LMD_TRANSFORMERSJS must name a folder; scripts/browser-tests.mjs installs it.');
}

export default mergeConfig(
  testConfig({
    include: ['browser/**/*.test.ts'],
    provide: { transformersJs: engine },
    reporters: ['default', ['json', { outputFile: '.vitest/browser-report.json' }]],
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
