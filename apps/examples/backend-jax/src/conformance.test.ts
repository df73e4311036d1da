import { backendConformance } from '@lmd/conformance';
import { describe, expect, it } from 'vitest';
import { createJaxBackend } from './index.js';

backendConformance({ describe, it, expect }, { name: 'jax-js', create: () => createJaxBackend() });
