// npm start: sets up, then trains the first-light preset. Arguments go to `lmd train`: npm start -- --json
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
const program = join(root, 'apps', 'cli', 'dist', 'bin.js');
process.exitCode = await run(process.execPath, [program, 'train', 'first-light', ...process.argv.slice(2)], {
  stdout: 'inherit',
  cwd: process.env.INIT_CWD ?? root,
});
