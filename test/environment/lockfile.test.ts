import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './consumer.js';

const lockfile = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');

// Tools with native code have a package for each platform. One that the lockfile lacks is not installed there, and
// nothing runs.
it.each([
  ['@biomejs/cli', ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']],
  ['@turbo/', ['linux-64', 'linux-arm64', 'darwin-64', 'darwin-arm64', 'windows-64']],
  ['@esbuild/', ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']],
  ['@img/sharp', ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']],
  ['@rollup/rollup', ['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64', 'win32-x64-msvc']],
])('the lockfile has %s for Linux, macOS and Windows', (name, platforms) => {
  for (const platform of platforms) {
    const found = lockfile.includes(`'${name}${name.endsWith('/') ? '' : '-'}${platform}@`);
    expect(found, `${name} for ${platform}`).toBe(true);
  }
});

it('the lockfile names no registry', () => {
  expect(lockfile).not.toMatch(/https?:\/\/(?!github\.com)/);
});
