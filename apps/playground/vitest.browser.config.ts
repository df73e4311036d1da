import { testConfig } from '../../vitest.shared.ts';

// The tests run in Node and drive the Chromium that LMD_CHROMIUM names: `node scripts/browser-tests.mjs` finds it.
export default testConfig({
  include: ['browser/**/*.test.ts'],
  reporters: ['default', ['json', { outputFile: '.vitest/browser-report.json' }]],
  // One page at a time: WebGPU in software takes all there is.
  fileParallelism: false,
});
