import { testConfig } from '../../../vitest.shared.ts';

export default testConfig({ testTimeout: 60_000 });
