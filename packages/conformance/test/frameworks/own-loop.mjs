import { createReferenceBackend } from '@lmd/backends/reference';
import { conformanceTests } from '@lmd/conformance';

const tests = conformanceTests({ name: 'mine', create: createReferenceBackend, levels: ['operations'] });
for (const { run } of tests) await run();
