import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compileAddOn, failureOf, findZig } from '../scripts/compile.mjs';
import { targets } from '../scripts/targets.mjs';
import { notTheSuite } from './suite.js';

const zig = notTheSuite === undefined ? await findZig() : undefined;
const missing = notTheSuite ?? (zig === undefined ? 'zig is not installed: pip install ziglang==0.17.1' : undefined);

/** The processor that a library of each system is for, from its first bytes. */
function machineOf(file: Buffer): string {
  if (file.readUInt32BE(0) === 0x7f454c46) return `linux ${file.readUInt16LE(18)}`;
  if (file.readUInt32LE(0) === 0xfeedfacf) return `darwin ${file.readUInt32LE(4)}`;
  return `${file.toString('latin1', 0, 2)} ${file.readUInt16LE(file.readUInt32LE(60) + 4)}`;
}

const machines: Readonly<Record<string, string>> = {
  'linux-x64': 'linux 62',
  'linux-arm64': 'linux 183',
  'darwin-x64': `darwin ${0x01000007}`,
  'darwin-arm64': `darwin ${0x0100000c}`,
  'win32-x64': `MZ ${0x8664}`,
  'win32-arm64': `MZ ${0xaa64}`,
};

it('a package of a platform is not packed without its binary', async () => {
  const script = fileURLToPath(new URL('../scripts/require-binary.mjs', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'lmd-native-pack-'));
  try {
    expect(await failureOf([process.execPath], [script], { cwd: folder })).toContain('has no lmd.node');
    writeFileSync(join(folder, 'lmd.node'), '');
    expect(await failureOf([process.execPath], [script], { cwd: folder })).toContain('is empty');
    writeFileSync(join(folder, 'lmd.node'), 'binary');
    expect(await failureOf([process.execPath], [script], { cwd: folder })).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe.each(Object.keys(targets))('the binary for %s', (name) => {
  const manifest = JSON.parse(readFileSync(new URL(`../platforms/${name}/package.json`, import.meta.url), 'utf8'));

  it('has a package that only its platform installs, which ships it', () => {
    const [os, cpu, libc] = name.split('-');
    expect(manifest).toMatchObject({ name: `@lmd/native-${name}`, files: ['lmd.node'] });
    // Where it is published, pnpm moves these up; here they would be a warning at each installation.
    const { publishConfig } = manifest;
    expect(publishConfig).toMatchObject({ os: [os], cpu: [cpu] });
    expect(publishConfig.libc).toEqual(libc === undefined ? undefined : [libc === 'gnu' ? 'glibc' : libc]);
    expect(manifest.scripts).toEqual({ prepack: 'node ../../scripts/require-binary.mjs' });
    const loader = JSON.parse(readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8'));
    expect(loader.optionalDependencies[manifest.name]).toBe('workspace:*');
    expect(loader.version).toBe(manifest.version);
  });

  if (missing !== undefined) {
    it.skip(`is compiled by zig: ${missing}`, () => {});
    return;
  }
  it('is for its processor, exports an add-on, and is small', { timeout: 600_000 }, async () => {
    const file = readFileSync(await compileAddOn(name, { zig: zig! }));
    expect(machineOf(file)).toBe(machines[name.replace(/-(gnu|musl)$/, '')]);
    expect(file.includes('napi_register_module_v1')).toBe(true);
    expect(gzipSync(file).length).toBeLessThan(60_000);
    // On Windows, nothing but the system and what loads the add-on: no library of C.
    const libraries = [...file.toString('latin1').matchAll(/[\w.-]+\.(?:dll|exe)(?=\0)/gi)].map(([library]) =>
      library.toLowerCase(),
    );
    if (name.startsWith('win32')) expect(new Set(libraries)).toEqual(new Set(['node.exe', 'kernel32.dll']));
    // The C library's newest symbol that a glibc of 2014 has.
    for (const [, version] of file.toString('latin1').matchAll(/GLIBC_2\.(\d+)/g)) {
      expect(Number(version)).toBeLessThanOrEqual(17);
    }
  });
});
