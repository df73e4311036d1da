// npm run study -- <file> [options]: runs or resumes a study of apps/studies. Options: npm run study -- --help
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
const program = join(root, 'apps', 'studies', 'dist', 'bin.js');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)], {
  stdout: 'inherit',
  passInterrupt: true,
});
