import { configDefaults } from 'vitest/config';
import { testConfig } from '../vitest.shared.ts';

export default testConfig({ include: ['**/*.test.ts'], exclude: [...configDefaults.exclude, 'release/**'] });
