// Builds the site to dist: the pages, the API and the playground. `npm run docs` calls it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const steps = [
  [join('node_modules', 'vitepress', 'bin', 'vitepress.js'), 'build'],
  [join('scripts', 'api.mjs')],
  [join('scripts', 'playground.mjs')],
];

/** @param {'inherit' | 'pipe'} stdio where the output goes: of `pipe`, an error has it. */
export function buildSite(stdio = 'inherit') {
  for (const words of steps) {
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, stdio, encoding: 'utf8' });
    if (status !== 0) throw new Error([`${words[0]} failed.`, stdout, stderr].filter(Boolean).join('\n'));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) buildSite();
