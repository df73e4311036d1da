// The published packages as their users get them: packed, and each installed in a fresh project with what it depends
// on, without optional peers. Used by the packaging test and by `npm run sizes`.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';

const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');

const packagesIn = (parent) =>
  readdirSync(join(root, parent))
    .map((name) => join(root, parent, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true);

/** The packages that are published, without those of `platforms`. */
export const published = ['packages', 'apps'].flatMap(packagesIn);
/** The packages of native binaries, one for each platform, which are published too. */
export const platforms = packagesIn(join('packages', 'native', 'platforms'));
const byName = new Map(published.map(({ manifest }) => [manifest.name, manifest]));

/** The names of the entry points that are modules. */
export function specifiersOf({ name, exports }) {
  return Object.entries(exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([subpath]) => name + subpath.slice(1));
}

/**
 * Packs each package into a folder. Returns the path of each tarball by the name of its package.
 *
 * @param {string} destination
 * @returns {Map<string, string>}
 */
export function packAll(destination) {
  const chosen = published.map(({ manifest }) => `--filter=${manifest.name}`);
  const words = [pnpm, ...chosen, 'pack', '--json', '--pack-destination', destination];
  const output = execFileSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  // pnpm prints the commands of prepack first.
  const packed = JSON.parse(output.slice(output.search(/^\[/m)));
  return new Map(packed.map(({ name, filename }) => [name, filename]));
}

/** The package's own name and those of ours that it needs, transitively. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const dependency of Object.keys(byName.get(name)?.dependencies ?? {})) {
    if (byName.has(dependency)) closure(dependency, seen);
  }
  return seen;
}

/** What a package asks its user to install beside it. */
function requiredPeers(name) {
  const { peerDependencies = {}, peerDependenciesMeta = {} } = byName.get(name);
  return Object.fromEntries(
    Object.entries(peerDependencies).filter(([peer]) => peerDependenciesMeta[peer]?.optional !== true),
  );
}

/**
 * Installs a package's tarball in a new folder, with those of ours that it needs instead of what the registry may have,
 * its required peers, and nothing optional.
 *
 * @param {string} name
 * @param {Map<string, string>} tarballs those of `packAll`
 * @param {string} project
 */
export function installPacked(name, tarballs, project) {
  const own = Object.fromEntries([...closure(name)].map((one) => [one, `file:${tarballs.get(one)}`]));
  const dependencies = { ...requiredPeers(name), [name]: own[name] };
  const manifest = { name: 'fresh', private: true, type: 'module', dependencies };
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifest, pnpm: { overrides: own } }));
  const options = ['--prefer-offline', '--ignore-workspace', '--config.auto-install-peers=false', '--reporter=silent'];
  // A registry that does not answer is a failure with a message, not a run without an end.
  execFileSync(process.execPath, [pnpm, 'install', ...options], { cwd: project, stdio: 'pipe', timeout: 240_000 });
}

const childrenOf = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

function bytesOf(path) {
  const entry = lstatSync(path);
  if (entry.isFile()) return entry.size;
  return entry.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0) : 0;
}

/**
 * Every installed package of a project, with the bytes of its files.
 *
 * @param {string} project
 * @returns {{ name: string, bytes: number }[]}
 */
export function installedPackages(project) {
  const store = join(project, 'node_modules', '.pnpm');
  return readdirSync(store).flatMap((entry) => {
    const modules = join(store, entry, 'node_modules');
    const names = childrenOf(modules).flatMap((name) =>
      name.startsWith('@') ? childrenOf(join(modules, name)).map((part) => `${name}/${part}`) : [name],
    );
    // The package itself lies in its folder; what it depends on is linked beside it. `node_modules` itself and `.bin`
    // are no packages.
    return entry === 'node_modules'
      ? []
      : names
          .filter((name) => !name.startsWith('.') && !lstatSync(join(modules, name)).isSymbolicLink())
          .map((name) => ({ name, bytes: bytesOf(join(modules, name)) }));
  });
}

/**
 * Number of installed packages and their size in megabytes (10⁶ bytes).
 *
 * @param {string} project
 */
export function installedSize(project) {
  const installed = installedPackages(project);
  return { packages: installed.length, megabytes: installed.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6 };
}
