// npm run playground: builds the browser application and serves it on loopback. With --build, it only builds
// apps/playground/dist.
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

await setUp();
const folder = join(root, 'apps', 'playground');
const vite = join(folder, 'node_modules', 'vite', 'bin', 'vite.js');
const steps = [[join('scripts', 'build.mjs')]];
if (!process.argv.includes('--build')) steps.push([vite, 'preview', ...process.argv.slice(2)]);
for (const words of steps) {
  const code = await run(process.execPath, words, { cwd: folder });
  if (code !== 0) process.exit(code);
}
