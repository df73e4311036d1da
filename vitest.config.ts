import { testConfig } from './vitest.shared.ts';

// The repository's own tests: layering, and the packages as their users get them.
export default testConfig({ include: ['test/**/*.test.ts'] });
