// npm run example -- <name> [options]: sets up, then runs an example of apps/examples. Without a name, it lists them.
// An example that can be run has a field "example" in its package.json with the path of its built program, or
// dist/run.js.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, setUp } from './lib.mjs';

const folder = join(root, 'apps', 'examples');
const [name, ...args] = process.argv.slice(2);

/** Every example with a package.json, and its program, which need not be built yet. */
function examples() {
  return readdirSync(folder)
    .filter((entry) => existsSync(join(folder, entry, 'package.json')))
    .map((entry) => {
      const { example, description } = JSON.parse(readFileSync(join(folder, entry, 'package.json'), 'utf8'));
      const program = example ?? (existsSync(join(folder, entry, 'src', 'run.ts')) ? 'dist/run.js' : undefined);
      return { entry, description, program: program && join(folder, entry, program) };
    })
    .filter(({ program }) => program !== undefined);
}

const known = examples();
const chosen = known.find(({ entry }) => entry === name);
if (chosen === undefined) {
  if (name !== undefined) console.error(`There is no example ${JSON.stringify(name)} to run.`);
  console.error('Usage: npm run example -- <name> [options]. The options of one: npm run example -- <name> --help\n');
  for (const { entry, description } of known) console.error(`  ${entry.padEnd(18)} ${description}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  await setUp();
  process.exitCode = await run(process.execPath, [chosen.program, ...args], {
    stdout: 'inherit',
    cwd: process.env.INIT_CWD ?? root,
  });
}
