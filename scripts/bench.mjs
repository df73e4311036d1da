// npm run bench -- <package> [--json] [--quick]: runs dev/bench/<package>/index.mjs; cpu is an alias of backends. Every
// benchmark prints an aligned table, or with --json an array of { name, value, unit, peer, ratio, target, met }.
// Comparisons are made within one run, since timings vary between runs. --quick only checks, in seconds, that the
// benchmark works: smallest sizes, once, without comparisons.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

const [given, ...rest] = process.argv.slice(2);
/** Aliases of benchmarks. */
const aliases = { cpu: 'backends' };
const name = Object.hasOwn(aliases, given) ? aliases[given] : given;
const program = (folder) => join(root, 'dev', 'bench', folder, 'index.mjs');
const known = readdirSync(join(root, 'dev', 'bench')).filter((folder) => existsSync(program(folder)));
if (name === undefined || !known.includes(name)) {
  console.error(
    `Usage: npm run bench -- <${known.join(' | ')}> [--json] ` +
      `[--quick]${name === undefined ? '' : `\nUnknown benchmark "${name}".`}`,
  );
  process.exit(2);
}
await setUp();
process.exitCode = await run(process.execPath, ['--expose-gc', program(name), ...rest], { stdout: 'inherit' });
