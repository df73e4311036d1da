import { describe, it } from 'node:test';
import { createReferenceBackend } from '@lmd/backends/reference';
import { backendConformance } from '@lmd/conformance';

backendConformance({ describe, it }, { name: 'mine', create: createReferenceBackend, levels: ['operations'] });
