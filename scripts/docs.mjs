// npm run docs: builds the documentation site and serves it on loopback. With --build, it only builds apps/docs/dist.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
const folder = join(root, 'apps', 'docs');
const vitepress = join(folder, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
const steps = [[join('scripts', 'build.mjs')]];
if (!process.argv.includes('--build')) steps.push([vitepress, 'preview', ...process.argv.slice(2)]);
console.error('Building the site takes about a minute.');
for (const words of steps) {
  const code = await run(process.execPath, words, { cwd: folder });
  if (code !== 0) process.exit(code);
}
