import { backendConformance, conformanceLevelNames } from '@lmd/conformance';
import { describe, expect, it } from 'vitest';
import { createJaxBackend } from './index.js';

backendConformance(
  { describe, it, expect },
  {
    name: 'jax-js',
    create: () => createJaxBackend(),
    // README.md gives the command that runs the rest, which takes a minute.
    levels: conformanceLevelNames.filter((level) => level !== 'trajectories'),
  },
);
