import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bumpsOfDependents } from '../scripts/version-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'lmd-versions-'));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const foldersOf = (from: string) =>
  ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(from, parent))
      .map((name) => join(parent, name))
      .filter((folder) => existsSync(join(from, folder, 'package.json'))),
  );

/** The published manifests of a workspace, by name. */
function manifestsOf(from: string): Map<string, Manifest> {
  const all = foldersOf(from).map(
    (folder) => JSON.parse(readFileSync(join(from, folder, 'package.json'), 'utf8')) as Manifest,
  );
  return new Map(all.filter((one) => one.private !== true).map((one) => [one.name, one]));
}

/** A copy of the manifests and the configuration of this workspace, with one changeset instead of those that wait. */
function scratch(name: string, changeset: string): string {
  const folder = join(work, name);
  for (const file of ['package.json', 'pnpm-workspace.yaml', '.changeset/config.json', '.changeset/changelog.cjs']) {
    cpSync(join(root, file), join(folder, file));
  }
  // What the workspace names beside these folders has nothing to release.
  for (const one of [...foldersOf(root), 'dev']) {
    cpSync(join(root, one, 'package.json'), join(folder, one, 'package.json'));
  }
  for (const parent of [join('apps', 'examples'), join('packages', 'native', 'platforms')]) {
    for (const one of readdirSync(join(root, parent))) {
      const manifest = join(parent, one, 'package.json');
      if (existsSync(join(root, manifest))) cpSync(join(root, manifest), join(folder, manifest));
    }
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, '.changeset', 'change.md'), changeset);
  return folder;
}

const release = (folder: string) =>
  execFileSync(process.execPath, [join(root, 'scripts', 'version-packages.mjs'), '--folder', folder], {
    stdio: 'pipe',
  });

/** major, minor and patch of a version. */
const partsOf = (version: string) => version.split('.').map(Number) as [number, number, number];

/** The names of published packages that need `name`, directly or by others. */
function dependentsOf(name: string, manifests: ReadonlyMap<string, Manifest>): Set<string> {
  const found = new Set<string>();
  const add = (needed: string) => {
    for (const [one, { dependencies, peerDependencies }] of manifests) {
      if (found.has(one) || !Object.hasOwn({ ...dependencies, ...peerDependencies }, needed)) continue;
      found.add(one);
      add(one);
    }
  };
  add(name);
  return found;
}

describe('npm run version-packages', () => {
  const before = manifestsOf(root);
  const dependents = dependentsOf('@lmd/core', before);

  it('gives every dependent of a breaking core more than a patch, and a changelog that says why', () => {
    const folder = scratch('breaking', "---\n'@lmd/core': minor\n---\n\nBreaks.\n");
    release(folder);
    const after = manifestsOf(folder);
    expect(dependents.size).toBeGreaterThan(6);
    for (const [name, { version }] of after) {
      const [major, minor] = partsOf(before.get(name)!.version);
      const isReleased = name === '@lmd/core' || dependents.has(name);
      expect([name, version]).toEqual([name, isReleased ? `${major}.${minor + 1}.0` : before.get(name)!.version]);
    }
    const changelog = readFileSync(join(folder, 'packages', 'training', 'CHANGELOG.md'), 'utf8');
    expect(changelog).toMatch(/Minor Changes[\s\S]*Needs new releases of @lmd\/core.*which may break/);
  });

  it('leaves dependents alone after a patch of core', () => {
    const folder = scratch('patch', "---\n'@lmd/core': patch\n---\n\nMends.\n");
    expect(bumpsOfDependents(folder)).toEqual(new Map());
    release(folder);
    for (const [name, { version }] of manifestsOf(folder)) {
      const [major, minor] = partsOf(before.get(name)!.version);
      expect([name, partsOf(version).slice(0, 2)]).toEqual([name, [major, minor]]);
    }
  });

  it('takes a major for a break from 1.0 on', () => {
    const folder = scratch('major', "---\n'@lmd/core': minor\n---\n\nAdds.\n");
    for (const one of ['core', 'autograd']) {
      const path = join(folder, 'packages', one, 'package.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...manifest, version: '1.0.0' }));
    }
    expect(bumpsOfDependents(folder)).toEqual(new Map());
    mkdirSync(join(folder, '.changeset'), { recursive: true });
    writeFileSync(join(folder, '.changeset', 'change.md'), "---\n'@lmd/core': major\n---\n\nBreaks.\n");
    const bumps = bumpsOfDependents(folder);
    expect(bumps.get('@lmd/autograd')).toEqual({ bump: 'major', broken: ['@lmd/core'] });
    expect(bumps.get('@lmd/training')).toMatchObject({ bump: 'minor' });
  });
});
