// npm run licences: writes docs/licences.md, the licences of everything that installing a published package brings, as
// read from the installed packages. With --check, part of npm run lint, it writes nothing, and fails for a licence that
// is not permissive or a page that is not current.
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable } from 'markdown-table';
import { withMarked } from '../dev/bench/lib/marked.mjs';
import { root } from './lib.mjs';
import { published } from './packed.mjs';

const permissive = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Zlib',
];

/** Packages with another licence, by the beginning of their names. Each needs a reason that holds for users. */
const exceptions = [
  {
    prefix: '@img/sharp-',
    licence: 'Apache-2.0, LGPL-3.0-or-later',
    shown: '@img/sharp-<platform>',
    reason:
      'Built files of sharp for one platform. Its library libvips is under LGPL-3.0-or-later: a shared library, used ' +
      'unchanged, which a user may replace.',
  },
  {
    prefix: 'tweetnacl',
    licence: 'Unlicense',
    shown: 'tweetnacl',
    reason: 'A dedication to the public domain, which allows everything. The clients of NATS sign with it.',
  },
];

/** Whether an SPDX expression leaves a permissive choice. */
export function isPermissive(licence) {
  const alternatives = licence
    .replace(/[()]/g, ' ')
    .trim()
    .split(/\s+OR\s+/);
  return alternatives.some((one) => one.split(/\s+AND\s+/).every((part) => permissive.includes(part.trim())));
}

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folder of an installed dependency; undefined for an optional one of another platform. */
function folderOf(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', ...name.split('/'));
    if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
    if (at === dirname(at)) return undefined;
  }
}

function licenceOf({ license, licenses }) {
  if (typeof license === 'string') return license;
  const listed = license === undefined ? (licenses ?? []) : [license];
  return listed.map(({ type }) => type).join(' OR ') || 'none stated';
}

const own = new Set(published.map(({ manifest }) => manifest.name));

/** Adds all that a package needs, by name: licences, and which of ours bring it. */
function collect(folder, manifest, broughtBy, found, seen = new Set()) {
  // A private package of the workspace is bundled into the published one.
  const bundled = Object.keys(manifest.devDependencies ?? {}).filter((name) => {
    const at = name.startsWith('@lmd/') && !own.has(name) ? folderOf(name, folder) : undefined;
    return at !== undefined && own.has(manifest.name) && manifestOf(at).dependencies !== undefined;
  });
  const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  // A user installs the required peers of ours as well.
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  const asked = own.has(manifest.name) ? peers : [];
  for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...asked, ...bundled]) {
    const at = folderOf(name, folder);
    if (at === undefined && optionalDependencies?.[name] !== undefined) continue;
    if (at === undefined) throw new Error(`${manifest.name} needs ${name}, which is not installed. Run npm run setup.`);
    if (seen.has(at)) continue;
    seen.add(at);
    const needed = manifestOf(at);
    if (!name.startsWith('@lmd/')) {
      const known = found.get(name) ?? { licences: new Set(), by: new Set() };
      known.licences.add(licenceOf(needed));
      known.by.add(broughtBy);
      found.set(name, known);
    }
    collect(at, needed, broughtBy, found, seen);
  }
}

/** Licences of the dependencies of published packages, by name. */
export function licencesOfDependencies() {
  const found = new Map();
  for (const { folder, manifest } of published) collect(folder, manifest, manifest.name, found);
  return found;
}

/** Names and licences that are neither permissive nor an exception. */
export function refusedLicences(found) {
  return [...found].flatMap(([name, { licences }]) =>
    exceptions.some(({ prefix }) => name.startsWith(prefix))
      ? []
      : [...licences].filter((licence) => !isPermissive(licence)).map((licence) => `${name}: ${licence}`),
  );
}

function page(text) {
  const found = licencesOfDependencies();
  const listed = [...found].filter(([name]) => !exceptions.some(({ prefix }) => name.startsWith(prefix)));
  const rows = listed
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { licences, by }]) => [
      `\`${name}\``,
      [...licences].sort().join(', '),
      [...by]
        .sort()
        .map((one) => `\`${one}\``)
        .join(', '),
    ]);
  const others = exceptions.map(({ shown, licence, reason }) => [`\`${shown}\``, licence, reason]);
  const contents = [
    markdownTable([['package', 'licence', 'brought by'], ...rows]),
    'With another licence:',
    markdownTable([['package', 'licence', 'reason'], ...others]),
  ].join('\n\n');
  return { found, text: withMarked(text, 'licences', contents) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, 'docs', 'licences.md');
  const before = readFileSync(path, 'utf8');
  const { found, text } = page(before);
  const refused = refusedLicences(found);
  if (refused.length > 0) {
    console.error(
      'Dependencies of published packages with a licence that is not permissive:\n' +
        refused.map((line) => `  ${line}\n`).join('') +
        'Replace the package, or add an exception with its reason to scripts/licences.mjs.',
    );
    process.exit(1);
  }
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
    console.log(`Written: ${path}, ${found.size} packages`);
  } else if (text !== before) {
    console.error('docs/licences.md is not that of the installed dependencies. Run npm run licences.');
    process.exit(1);
  }
}
