import { backendConformance, conformanceLevelNames } from '@lmd/conformance';
import { describe, expect, it } from 'vitest';
import { createJaxBackend } from './index.js';

backendConformance(
  { describe, it, expect },
  {
    name: 'jax-js',
    create: createJaxBackend,
    // It takes a quarter of the time, and `mx-bits` has its arithmetic; README.md gives the command that runs all.
    levels: conformanceLevelNames.filter((level) => level !== 'exact-products'),
    // None fails; one that is named here and passes fails the suite.
    expectedFailures: {},
  },
);
