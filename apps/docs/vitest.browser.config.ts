import { reportersTo, testConfig } from '../../vitest.shared.ts';

// The tests run in Node and drive the Chromium that LMD_CHROMIUM names: `node scripts/browser-tests.mjs` finds it.
export default testConfig({
  include: ['browser/**/*.test.ts'],
  reporters: reportersTo('browser-report.json'),
});
