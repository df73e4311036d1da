import { playwright } from '@vitest/browser-playwright';
import { browserConfig } from '../../vitest.browser.ts';

export default browserConfig(playwright, { include: ['browser/**/*.test.ts'] });
