import { testConfig } from '../../vitest.shared.ts';

// Run by `npm run release:dry-run`, which starts the registry that they need.
export default testConfig({ include: ['*.test.ts'] });
