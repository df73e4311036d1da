import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import type { BrowserProviderOption } from 'vitest/node';
import { reportersTo, testConfig } from './vitest.shared.ts';

type Test = NonNullable<ViteUserConfig['test']>;

/**
 * How vitest's browser mode starts the Chromium that LMD_CHROMIUM names, which `scripts/browser-tests.mjs` finds.
 * WebGPU is SwiftShader's, in software, unless LMD_WEBGPU_ADAPTER is `hardware`.
 */
function chromiumLaunch() {
  const executablePath = process.env.LMD_CHROMIUM;
  if (executablePath === undefined) {
    throw new Error('LMD_CHROMIUM must name a Chromium; scripts/browser-tests.mjs sets it.');
  }
  const software = ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'];
  return {
    executablePath,
    chromiumSandbox: false,
    args: [
      '--enable-unsafe-webgpu',
      ...(process.env.LMD_WEBGPU_ADAPTER === 'hardware' ? [] : software),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}

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
