// npm run posterior [-- options]: the study of predictions with a posterior. See dev/posterior/study.mjs.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
process.exitCode = await run(
  process.execPath,
  [join(root, 'dev', 'posterior', 'study.mjs'), ...process.argv.slice(2)],
  {
    stdout: 'inherit',
  },
);
