// npm start: sets up, then trains the first-light preset. Arguments go to `lmd train`: npm start -- --json
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
// With arguments, another run may be started, such as with --resume.
if (process.argv.length === 2) {
  console.error('Training the preset first-light: a small ViT on MNIST. This takes minutes. Ctrl-C saves and stops.');
}
const program = join(root, 'apps', 'cli', 'dist', 'bin.js');
process.exitCode = await run(process.execPath, [program, 'train', 'first-light', ...process.argv.slice(2)], {
  stdout: 'inherit',
  passInterrupt: true,
  cwd: process.env.INIT_CWD ?? root,
});
