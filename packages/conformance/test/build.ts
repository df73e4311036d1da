import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { provideProgram } from '../../../vitest.program.js';

export default function setup(project: TestProject): void {
  provideProgram(fileURLToPath(new URL('..', import.meta.url)), project);
}
