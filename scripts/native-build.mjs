// npm run native: compiles the native kernels for this machine, or with --all for every platform; see
// packages/native/scripts/build.mjs.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp({ build: false });
const script = join(root, 'packages', 'native', 'scripts', 'build.mjs');
process.exitCode = await run(process.execPath, [script, '--require', ...process.argv.slice(2)], { stdout: 'inherit' });
