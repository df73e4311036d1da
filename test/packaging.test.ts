import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build, stop } from 'esbuild';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The packages as their users get them: packed, each installed with what it depends on in a fresh project, and imported
// under Node and through a bundler.

const root = fileURLToPath(new URL('..', import.meta.url));
const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
const work = mkdtempSync(join(tmpdir(), 'lmd-packaging-'));
afterAll(async () => {
  // esbuild's service is a child process, which would keep the test worker from ending.
  await stop();
  rmSync(work, { recursive: true, force: true });
});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Whether this Node can `require` ES modules without a flag. */
const canRequire = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  description?: string;
  keywords?: readonly string[];
  homepage?: string;
  bugs?: string;
  author?: string;
  bin?: Record<string, string>;
  exports: Record<string, { types: string; default: string } | string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

const published = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent))
    .map((name) => join(root, parent, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest }))
    .filter(({ manifest }) => manifest.private !== true),
);
const byName = new Map(published.map((item) => [item.manifest.name, item]));
const tarballs = new Map<string, string>();

/** The package's own name and those of ours that it needs, transitively. */
function closure(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const dependency of Object.keys(byName.get(name)?.manifest.dependencies ?? {})) {
    if (byName.has(dependency)) closure(dependency, seen);
  }
  return seen;
}

/** What a package asks its user to install beside it. */
function requiredPeers(name: string): Record<string, string> {
  const { peerDependencies = {}, peerDependenciesMeta = {} } = byName.get(name)!.manifest;
  return Object.fromEntries(
    Object.entries(peerDependencies).filter(([peer]) => peerDependenciesMeta[peer]?.optional !== true),
  );
}

/**
 * Installs a package's tarball, with those of ours that it needs instead of what the registry may have, and nothing
 * optional.
 */
function install(name: string, project: string) {
  const tarballsOf = Object.fromEntries([...closure(name)].map((one) => [one, `file:${tarballs.get(one)}`]));
  const dependencies = { ...requiredPeers(name), [name]: tarballsOf[name] };
  const manifest = { name: 'fresh', private: true, type: 'module', dependencies };
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifest, pnpm: { overrides: tarballsOf } }));
  const options = ['--prefer-offline', '--ignore-workspace', '--config.auto-install-peers=false', '--reporter=silent'];
  // A registry that does not answer is a failure with a message, not a run without an end.
  execFileSync(process.execPath, [pnpm, 'install', ...options], { cwd: project, stdio: 'pipe', timeout: 240_000 });
}

beforeAll(() => {
  for (const { folder, manifest } of published) {
    const output = execFileSync(process.execPath, [pnpm, 'pack', '--json', '--pack-destination', work], {
      cwd: folder,
      encoding: 'utf8',
    });
    // pnpm prints the commands of prepack first.
    tarballs.set(manifest.name, JSON.parse(output.slice(output.search(/^\{/m))).filename);
  }
});

describe.each(published)('$manifest.name', ({ manifest }) => {
  const project = join(work, manifest.name.replace(/\W/g, '-'));
  const entries = Object.entries(manifest.exports).filter(
    (entry): entry is [string, { types: string; default: string }] => typeof entry[1] !== 'string',
  );

  it('passes publint with nothing to say', async () => {
    const tarball = new Uint8Array(readFileSync(tarballs.get(manifest.name)!)).buffer;
    const { messages } = await publint({ strict: true, pack: { tarball } });
    expect(messages).toEqual([]);
  });

  it('has types that every module resolution of today finds', async () => {
    const { problems = [] } = {
      ...(await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarballs.get(manifest.name)!))))),
    } as { problems?: readonly { kind: string; resolutionKind?: string }[] };
    // The profile: ECMAScript modules alone. TypeScript's node10 knows no exports, and that CommonJS may require an
    // ECMAScript module (Node 20.19 and later) is newer than the TypeScript of this check.
    const wrong = problems.filter(({ kind, resolutionKind }) => {
      return kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10';
    });
    expect(wrong).toEqual([]);
  });

  it('tells what it is, where it lives and whose it is', () => {
    const { description, keywords, homepage, bugs, author } = manifest;
    for (const value of [description, homepage, bugs, author]) expect(value).toMatch(/\S/);
    expect(keywords?.length).toBeGreaterThan(2);
  });

  it('installs from its tarball in a fresh project, without its optional engines', () => {
    install(manifest.name, project);
    const installed = readdirSync(join(project, 'node_modules', ...manifest.name.split('/')));
    expect(installed).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist', 'package.json']));
    expect(installed).not.toContain('src');
  });

  it('imports under Node', () => {
    for (const [subpath] of entries) {
      const specifier = manifest.name + subpath.slice(1);
      const program = `const m = await import(${JSON.stringify(specifier)}); if (Object.keys(m).length === 0) throw new Error('no exports');`;
      execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: project, stdio: 'pipe' });
    }
  });

  it('is required by CommonJS under Node', ({ skip }) => {
    skip(!canRequire, 'this version of Node cannot require() ECMAScript modules');
    const specifiers = entries.map(([subpath]) => manifest.name + subpath.slice(1));
    const program = `for (const name of ${JSON.stringify(specifiers)}) if (Object.keys(require(name)).length === 0) throw new Error(name);`;
    execFileSync(process.execPath, ['--input-type=commonjs', '--eval', program], { cwd: project, stdio: 'pipe' });
  });

  // A command is for Node alone.
  if (manifest.bin !== undefined) return;
  it('bundles for a browser, what needs Node left out', async () => {
    for (const [subpath] of entries.filter(([name]) => !name.endsWith('/node'))) {
      const result = await build({
        stdin: { contents: `export * from ${JSON.stringify(manifest.name + subpath.slice(1))};`, resolveDir: project },
        bundle: true,
        format: 'esm',
        platform: 'browser',
        write: false,
        minify: true,
        logLevel: 'silent',
      });
      expect(result.errors).toEqual([]);
      expect(result.outputFiles?.[0]?.contents.length).toBeGreaterThan(0);
    }
  });
});

it('refuses to pack a package that is not built', () => {
  const folder = join(root, 'packages', 'core');
  const copy = join(work, 'unbuilt', 'packages', 'core');
  mkdirSync(copy, { recursive: true });
  cpSync(join(folder, 'package.json'), join(copy, 'package.json'));
  cpSync(join(root, 'scripts', 'require-build.mjs'), join(work, 'unbuilt', 'scripts', 'require-build.mjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [pnpm, 'pack'], { cwd: copy, encoding: 'utf8' });
  expect(status).not.toBe(0);
  expect(stdout + stderr).toContain('@lmd/core is not built: ./dist/index.d.ts, ./dist/index.js not found.');
});
