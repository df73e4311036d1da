import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../scripts/build.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const dist = join(folder, 'dist');
const textOf = (name: string) => readFileSync(join(dist, name), 'utf8');
let names: readonly string[] = [];

beforeAll(async () => {
  await buildPage();
  names = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(dist.length + 1)
        .replaceAll('\\', '/'),
    );
});

describe('the built page', () => {
  it('loads less than 300 kB before data and backend', () => {
    const page = textOf('index.html');
    const files = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name!);
    expect(files.some((name) => name.endsWith('.js')) && files.some((name) => name.endsWith('.css'))).toBe(true);
    const sizes = ['index.html', ...files].map((name) => gzipSync(readFileSync(join(dist, name))).length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const worker = names.find((name) => /\/worker-[^/]*\.js$/.test(name))!;
    console.log(
      `first load: ${(total / 1000).toFixed(0)} kB; the worker, with its backend: ` +
        `${(gzipSync(readFileSync(join(dist, worker))).length / 1000).toFixed(0)} kB`,
    );
    expect(total).toBeLessThan(300_000);
  });

  it('asks no other host for anything', () => {
    for (const name of names.filter((one) => /\.(html|css|svg|webmanifest)$/.test(one))) {
      const addresses = textOf(name).match(/(?:src|href|url\()\s*[=(]?["']?(?:https?:)?\/\/[^"')\s]+/g) ?? [];
      expect(addresses, name).toEqual([]);
    }
    expect(textOf('index.html')).toContain("default-src 'self'");
    for (const name of names.filter((one) => one.endsWith('.js'))) {
      expect(textOf(name), name).not.toMatch(/(?:fetch|import)\(\s*["'`]https?:/);
    }
  });

  it('keeps every file for use offline', () => {
    const listed: string[] = JSON.parse(/const files = (\[.*?\]);/s.exec(textOf('sw.js'))![1]!);
    expect([...listed].sort()).toEqual(names.filter((name) => name !== 'sw.js').sort());
    expect(textOf('sw.js')).toMatch(/lmd-playground-[0-9a-f]{16}/);
  });

  it('can be installed', () => {
    const manifest = JSON.parse(textOf('manifest.webmanifest'));
    expect(manifest).toMatchObject({ name: 'LMD playground', start_url: './', display: 'standalone' });
    for (const { src } of manifest.icons) expect(existsSync(join(dist, src)), src).toBe(true);
  });
});
