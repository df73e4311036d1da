import { playwright } from '@vitest/browser-playwright';
import { browserConfig } from '../../vitest.browser.ts';

// The tests that need a browser and transformers.js: `node scripts/browser-tests.mjs` in the root finds the one,
// installs the other, and runs them.
const engine = process.env.LMD_TRANSFORMERSJS;
if (engine === undefined) {
  throw new Error('LMD_TRANSFORMERSJS must name a folder; scripts/browser-tests.mjs installs it.');
}

export default browserConfig(playwright, {
  include: ['browser/**/*.test.ts'],
  provide: { transformersJs: engine },
});
