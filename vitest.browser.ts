import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import type { BrowserProviderOption } from 'vitest/node';
import { chromiumLaunch } from './chromium.shared.ts';
import { reportersTo, testConfig } from './vitest.shared.ts';

type Test = NonNullable<ViteUserConfig['test']>;

/**
 * The configuration of tests in a browser: `node scripts/browser-tests.mjs` in the root finds one and runs them.
 *
 * @param playwright of the package `@vitest/browser-playwright`, which the package under test depends on
 */
export function browserConfig(
  playwright: (options: { launchOptions: ReturnType<typeof chromiumLaunch> }) => BrowserProviderOption,
  { browser, ...overrides }: Test,
) {
  return mergeConfig(
    testConfig({
      reporters: reportersTo('browser-report.json'),
      // One page at a time: software rendering takes all there is.
      fileParallelism: false,
      ...overrides,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: chromiumLaunch() }),
        instances: [{ browser: 'chromium' }],
        ...browser,
      },
    }),
    { server: { fs: { strict: false } } },
  );
}
