import { testConfig } from '../vitest.shared.ts';

export default testConfig({ include: ['**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 });
