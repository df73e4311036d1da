// Runs the test of damaged files on 100,000 of them, or as many as are named: node scripts/fuzz.mjs [files]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'src/fuzz.test.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, LMD_FUZZ_FILES: process.argv[2] ?? '100000' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
