// Runs a turbo task over the workspace: node scripts/turbo.mjs <task> [arguments].
import { setUp, turbo } from './lib.mjs';

await setUp({ build: false });
process.exitCode = await turbo(['run', ...process.argv.slice(2)], { stdout: 'inherit' });
