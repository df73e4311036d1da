import { playwright } from '@vitest/browser-playwright';
import { browserConfig } from '../../vitest.browser.ts';

// The tests of every engine, on those that only a browser has.
export default browserConfig(playwright, {
  include: ['src/{convolution,hyperparameters,layers,lmd-optimizer,quantize-mx}.test.ts'],
  provide: { engines: ['webgpu', 'webgl'] },
});
