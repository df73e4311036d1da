import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build, stop } from 'esbuild';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../scripts/api-report.mjs';
import { installLimits } from '../scripts/install-limits.mjs';
import { installedSize, installPacked, packAll, published, specifiersOf } from '../scripts/packed.mjs';

// The packages as their users get them: packed, each installed with what it depends on in a fresh project, and imported
// under Node and through a bundler.

const root = fileURLToPath(new URL('..', import.meta.url));
const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
const work = mkdtempSync(join(tmpdir(), 'lmd-packaging-'));
afterAll(async () => {
  // esbuild's service is a child process, which would keep the test worker from ending.
  await stop();
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Whether this Node can `require` ES modules without a flag. */
const canRequire = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

let tarballs = new Map<string, string>();

beforeAll(() => {
  tarballs = packAll(work);
});

describe.each(published)('$manifest.name', ({ manifest }) => {
  const project = join(work, manifest.name.replace(/\W/g, '-'));
  const specifiers = specifiersOf(manifest);

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
    installPacked(manifest.name, tarballs, project);
    const installed = readdirSync(join(project, 'node_modules', ...manifest.name.split('/')));
    expect(installed).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist', 'package.json']));
    expect(installed).not.toContain('src');
  });

  it('brings no more packages and megabytes than its limit', () => {
    const { packages, megabytes } = installedSize(project);
    const limit = installLimits[manifest.name];
    expect(limit, 'scripts/install-limits.mjs has no limit').toBeDefined();
    expect(packages, 'packages').toBeLessThanOrEqual(limit!.packages);
    expect(megabytes, 'megabytes').toBeLessThanOrEqual(limit!.megabytes);
  });

  it('imports under Node', () => {
    for (const specifier of specifiers) {
      const program = `const m = await import(${JSON.stringify(specifier)}); if (Object.keys(m).length === 0) throw new Error('no exports');`;
      execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: project, stdio: 'pipe' });
    }
  });

  it('is required by CommonJS under Node', ({ skip }) => {
    skip(!canRequire, 'this version of Node cannot require() ECMAScript modules');
    const program = `for (const name of ${JSON.stringify(specifiers)}) if (Object.keys(require(name)).length === 0) throw new Error(name);`;
    execFileSync(process.execPath, ['--input-type=commonjs', '--eval', program], { cwd: project, stdio: 'pipe' });
  });

  // The commands are for Node alone; a library may have a program beside its modules.
  if (manifest.name === '@lmd/cli' || manifest.name === '@lmd/create') return;
  it('bundles for a browser, what needs Node left out', async () => {
    for (const specifier of specifiers.filter((name) => !name.endsWith('/node'))) {
      const result = await build({
        stdin: { contents: `export * from ${JSON.stringify(specifier)};`, resolveDir: project },
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

it('has types that compile where skipLibCheck is off, as it is by default', () => {
  const folder = mkdtempSync(join(work, 'types-'));
  const compilerOptions = {
    ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022', lib: ['es2023', 'dom'] },
    ...{ module: 'nodenext', types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] },
  };
  const files = published.flatMap(entriesOf).map(({ types }) => types);
  expect(files.length).toBeGreaterThan(20);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  });
  // Those of other packages are not ours to mend.
  const ours = stdout.split('\n').filter((line) => /^\S.*error TS/.test(line) && !line.startsWith('node_modules'));
  expect(ours).toEqual([]);
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
