// npm run settings -- <task> [options]: the trials and the tables of docs/choosing-settings.md. See
// dev/settings/index.mjs.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
process.exitCode = await run(process.execPath, [join(root, 'dev', 'settings', 'index.mjs'), ...process.argv.slice(2)], {
  stdout: 'inherit',
});
