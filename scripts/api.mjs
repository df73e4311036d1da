// npm run api: writes the public types of each published package to packages/*/api/*.api.md, so that a review shows
// what changes for users. With --check, it writes nothing and fails if a report is not that of the build.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { apiReports, entriesOf } from './api-report.mjs';
import { root, setUp } from './lib.mjs';
import { published } from './packed.mjs';

// The interface of the command is its configuration, whose schema and page are generated and checked on their own.
const packages = published.filter(({ manifest }) => manifest.bin === undefined);

const isCheck = process.argv.includes('--check');
if (!isCheck) await setUp({ declarations: true });

const reports = apiReports(packages.flatMap(entriesOf));
const shown = (path) => relative(root, path).replaceAll('\\', '/');
const existing = packages
  .map(({ folder }) => join(folder, 'api'))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));

const stale = existing.filter((path) => !reports.has(path));
const changed = [...reports].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
if (isCheck && stale.length + changed.length > 0) {
  console.error(
    'The public types differ from their reports:\n' +
      [...stale, ...changed.map(([path]) => path)].map((path) => `  ${shown(path)}\n`).join('') +
      'Run npm run api, look at the difference, and add a changeset (npx changeset) that says what changes for users.',
  );
  process.exit(1);
}
if (!isCheck) {
  for (const path of stale) rmSync(path);
  for (const [path, text] of changed) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`Written: ${shown(path)}`);
  }
}
