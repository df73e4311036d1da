// Builds the playground into the site.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const playground = dirname(createRequire(import.meta.url).resolve('@lmd/playground/package.json'));
const target = fileURLToPath(new URL('../dist/playground', import.meta.url));
execFileSync(process.execPath, [join(playground, 'scripts', 'build.mjs'), target], { stdio: 'inherit' });
