// Checks the types of one project, whose configuration file is the argument. TypeScript 7 takes a third of version 5's
// processor time; version 5 stays for tools that need the compiler as a library, and checks the published types.
import { join } from 'node:path';
import { tool } from './lib.mjs';

const [project = 'tsconfig.json'] = process.argv.slice(2);
// One thread: `npm test` runs other tasks beside it, and threads check shared types again.
const args = ['--noEmit', '--singleThreaded', '-p', project];
process.exitCode = await tool('typescript-7', join('bin', 'tsc'), args, { cwd: process.cwd(), stdout: 'inherit' });
