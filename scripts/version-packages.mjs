// npm run version-packages: converts the changesets to versions and changelogs. A breaking release of a package brings
// a breaking release of each published package that depends on it, since their users meet its types: changesets alone
// would give them a patch, which caret ranges install unasked.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const levels = ['none', 'patch', 'minor', 'major'];
const higher = (a, b) => (levels.indexOf(a) >= levels.indexOf(b) ? a : b);

/** The bump that may break: below 1.0, a minor. */
const breakingOf = ({ version }) => (version.startsWith('0.') ? 'minor' : 'major');

/** The published packages of a workspace, by name. */
function publishedIn(folder) {
  const manifests = ['packages', 'apps']
    .filter((parent) => existsSync(join(folder, parent)))
    .flatMap((parent) => readdirSync(join(folder, parent)).map((name) => join(folder, parent, name, 'package.json')))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')))
    .filter((manifest) => manifest.private !== true);
  return new Map(manifests.map((manifest) => [manifest.name, manifest]));
}

/** The highest bump of each package in the changesets. */
function bumpsIn(folder) {
  const bumps = new Map();
  for (const name of readdirSync(join(folder, '.changeset'))) {
    if (!name.endsWith('.md') || name === 'README.md') continue;
    const text = readFileSync(join(folder, '.changeset', name), 'utf8');
    const [, matter = ''] = /^---\r?\n([\s\S]*?)^---/m.exec(text) ?? [];
    for (const [, of, bump] of matter.matchAll(/^['"]?(@?[^'":\s]+)['"]?\s*:\s*(\w+)/gm)) {
      bumps.set(of, higher(bump, bumps.get(of) ?? 'none'));
    }
  }
  return bumps;
}

/**
 * The bumps that dependents need beside those of the changesets, by package: the bump, and the packages that break.
 *
 * @param {string} folder root of a workspace
 */
export function bumpsOfDependents(folder) {
  const packages = publishedIn(folder);
  const bumps = bumpsIn(folder);
  const needed = new Map();
  const breaks = (name) =>
    packages.has(name) && higher(bumps.get(name) ?? 'none', breakingOf(packages.get(name))) === bumps.get(name);
  // A dependent that breaks has dependents of its own.
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const [name, manifest] of packages) {
      const broken = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(breaks);
      if (broken.length === 0) continue;
      if (breaks(name) && !needed.has(name)) continue;
      isChanged ||= !needed.has(name);
      needed.set(name, { bump: breakingOf(manifest), broken });
      bumps.set(name, breakingOf(manifest));
    }
  }
  return needed;
}

/** Writes a changeset for each group of dependents with the same reason. */
function writeChangesets(folder) {
  for (const [name, { bump, broken }] of bumpsOfDependents(folder)) {
    const list = broken.length === 1 ? broken[0] : `${broken.slice(0, -1).join(', ')} and ${broken.at(-1)}`;
    const text = `Needs new releases of ${list}, which may break; their changelogs say how.`;
    const path = join(folder, '.changeset', `dependent-${name.replace(/\W+/g, '-').replace(/^-/, '')}.md`);
    writeFileSync(path, `---\n'${name}': ${bump}\n---\n\n${text}\n`);
    console.log(`${name}: ${bump}, since it depends on ${list}`);
  }
}

/**
 * A changelog whose newest version names what breaks first in each section: changesets have no order.
 *
 * @param {string} text
 */
export function breaksFirst(text) {
  const [head = '', newest = '', ...older] = text.split(/^(?=## )/m);
  const sections = newest.split(/^(?=### )/m).map((section) => {
    const [title = '', ...entries] = section.trimEnd().split(/\n(?=- )/);
    const isBreak = (entry) => entry.startsWith('- **Breaking.**');
    const sorted = [...entries.filter(isBreak), ...entries.filter((entry) => !isBreak(entry))];
    return `${[title, ...sorted].join('\n')}\n\n`;
  });
  return `${(head + sections.join('') + older.join('')).trimEnd()}\n`;
}

function sortChangelogs(folder) {
  for (const parent of ['packages', 'apps']) {
    for (const name of readdirSync(join(folder, parent))) {
      const path = join(folder, parent, name, 'CHANGELOG.md');
      if (existsSync(path)) writeFileSync(path, breaksFirst(readFileSync(path, 'utf8')));
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { folder: { type: 'string' } } });
  const folder = values.folder ?? fileURLToPath(new URL('..', import.meta.url));
  writeChangesets(folder);
  const require = createRequire(import.meta.url);
  const { status } = spawnSync(process.execPath, [require.resolve('@changesets/cli/bin.js'), 'version'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status === 0) sortChangelogs(folder);
  process.exitCode = status ?? 1;
}
