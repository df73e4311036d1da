import { createReferenceBackend } from '@lmd/backends/reference';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

backendConformance({ describe, it, expect }, { name: 'reference', create: () => createReferenceBackend() });
