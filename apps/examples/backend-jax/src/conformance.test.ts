import { backendConformance, conformanceLevelNames } from '@lmd/conformance';
import { describe, expect, it } from 'vitest';
import { createJaxBackend } from './index.js';

backendConformance(
  { describe, it, expect },
  {
    name: 'jax-js',
    create: () => createJaxBackend(),
    // The longest level, whose arithmetic `mx-bits` has too; README.md gives the command that runs all.
    levels: conformanceLevelNames.filter((level) => level !== 'exact-products'),
    // None fails; one that is named here and passes fails the suite.
    expectedFailures: {},
  },
);
