// Publishes every package to the registry on loopback, as a release does: packed by pnpm, published by npm.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, packAll, platforms, published } from '../../scripts/packed.mjs';
import { root } from '../examples/blocks.js';
import { environmentOf, execute, packument, setting, succeed } from './setting.js';

const pnpm = [process.execPath, join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')] as const;
const env = environmentOf('npm');
const tarballsAt = join(setting.work, 'tarballs');
/** With titles for `%s`. */
const titled = (packages: typeof published) => packages.map((one) => [one.manifest.name, one] as const);
const hasBinary = (folder: string) => existsSync(join(folder, 'lmd.node'));

/** Provenance needs the identity of a workflow on GitHub. */
const publish = (tarball: string) =>
  succeed([...setting.npm, 'publish', tarball, '--provenance=false', '--access=public', '--loglevel=error'], {
    cwd: setting.work,
    env,
  });

async function expectPublished({ name, version }: Manifest) {
  const { 'dist-tags': tags, versions = {} } = (await packument(name)) ?? {};
  expect(tags?.latest).toBe(version);
  return versions[version]!;
}

describe('packages', () => {
  let tarballs = new Map<string, string>();
  beforeAll(() => {
    mkdirSync(tarballsAt, { recursive: true });
    tarballs = packAll(tarballsAt);
  });

  it.concurrent.each(titled(published))('publishes %s', async (_, { manifest }) => {
    await publish(tarballs.get(manifest.name)!);
    const { dependencies = {}, optionalDependencies = {} } = await expectPublished(manifest);
    // pnpm replaces them by versions.
    expect(JSON.stringify([dependencies, optionalDependencies])).not.toContain('workspace:');
  });
});

describe('an unbuilt tree', () => {
  beforeAll(() => {
    cpSync(join(root, 'scripts', 'require-build.mjs'), join(setting.work, 'unbuilt', 'scripts', 'require-build.mjs'));
  });

  it.concurrent.each(titled(published))('refuses to publish %s', async (_, { folder, manifest }) => {
    // Another version, which the registry would take.
    const copy = join(setting.work, 'unbuilt', relative(root, folder));
    mkdirSync(copy, { recursive: true });
    writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifest, version: '99.0.0' }));
    const { code, output } = await execute([...pnpm, 'publish', '--no-git-checks', '--no-provenance'], {
      cwd: copy,
      env,
    });
    expect(code, output).not.toBe(0);
    expect(output).toContain(`${manifest.name} is not built`);
    expect(Object.keys((await packument(manifest.name))?.versions ?? {})).toEqual([manifest.version]);
  });
});

/** Packs a platform's package: with its binary, or its manifest alone. */
async function packPlatform(folder: string, manifest: Manifest): Promise<string> {
  const at = join(tarballsAt, manifest.name.replace(/\W+/g, '-'));
  mkdirSync(at, { recursive: true });
  let source = folder;
  if (!hasBinary(folder)) {
    source = join(setting.work, 'manifests', manifest.name);
    mkdirSync(source, { recursive: true });
    const { scripts, ...withoutCheck } = manifest as Manifest & { readonly scripts?: unknown };
    writeFileSync(join(source, 'package.json'), JSON.stringify(withoutCheck));
  }
  await succeed([...pnpm, 'pack', '--pack-destination', at], { cwd: source, env });
  return join(at, readdirSync(at)[0]!);
}

// yarn 1 refuses an optional dependency that the registry does not have, so a platform without a binary is published
// as its manifest, whose os, cpu and libc keep it from being installed here.
describe('native binaries', () => {
  it.concurrent.each(titled(platforms.filter(({ folder }) => !hasBinary(folder))))(
    'refuses to publish %s, whose binary is not built here',
    async (_, { folder, manifest }) => {
      const { code, output } = await execute([...pnpm, 'publish', '--no-git-checks', '--no-provenance'], {
        cwd: folder,
        env,
      });
      expect(code, output).not.toBe(0);
      expect(output).toContain('has no lmd.node, and is not packed without it');
      expect(await packument(manifest.name)).toBeUndefined();
    },
  );

  it.concurrent.each(titled(platforms))('publishes %s for its platform alone', async (_, { folder, manifest }) => {
    await publish(await packPlatform(folder, manifest));
    const { os, cpu, libc } = await expectPublished(manifest);
    const { publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect({ os, cpu, libc }).toEqual({ os: publishConfig.os, cpu: publishConfig.cpu, libc: publishConfig.libc });
  });
});
