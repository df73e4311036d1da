// npm run lmd -- train …: the lmd command of this clone, which it sets up first. Output of the set-up goes to standard
// error. Relative paths are those of the folder in which npm was started.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
process.exitCode = await run(
  process.execPath,
  [join(root, 'apps', 'cli', 'dist', 'bin.js'), ...process.argv.slice(2)],
  {
    stdout: 'inherit',
    passInterrupt: true,
    cwd: process.env.INIT_CWD ?? root,
  },
);
