import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../../vitest.program.js';

export default () => buildProgram(fileURLToPath(new URL('..', import.meta.url)));
