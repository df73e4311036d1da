import { createReferenceBackend } from '@lmd/backends/reference';
import { backendConformance } from '@lmd/conformance';

backendConformance({ describe, it, expect }, { name: 'mine', create: createReferenceBackend, levels: ['operations'] });
