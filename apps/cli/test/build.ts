import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { provideProgram } from '../../../vitest.program.js';

export default (project: TestProject) => provideProgram(fileURLToPath(new URL('..', import.meta.url)), project);
