import { testConfig } from '../../vitest.shared.ts';

export default testConfig({ globalSetup: ['test/build.ts'], testTimeout: 120_000, hookTimeout: 120_000 });
