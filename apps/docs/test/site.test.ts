import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildSite } from '../scripts/build.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const dist = join(folder, 'dist');

/** The address of every page: path from the root of the site, with slashes. */
let pages: readonly string[] = [];
const textOf = (page: string) => readFileSync(join(dist, page), 'utf8');
const isApi = (page: string) => page.startsWith('api/');

beforeAll(() => {
  buildSite('pipe');
  pages = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.html'));
});

/** Addresses in attributes of a page, without those in its scripts. */
function addresses(page: string, attribute: 'href' | 'src'): string[] {
  const text = textOf(page).replace(/<script\b[^>]*>[\s\S]*?<\/script>/g, (script) =>
    script.slice(0, script.indexOf('>')),
  );
  return [...text.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, 'g'))].map(([, value]) =>
    value!.replaceAll('&amp;', '&').replaceAll('&#39;', "'"),
  );
}

describe('the site', () => {
  it('has a page for each page of the repository’s documentation', () => {
    const documents = readdirSync(join(folder, '..', '..', 'docs'), { recursive: true, encoding: 'utf8' })
      .map((name) => `docs/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.md'));
    expect(documents.length).toBeGreaterThan(40);
    for (const name of documents) expect(pages, name).toContain(name.replace(/\.md$/, '.html'));
    expect(pages.filter(isApi).length).toBeGreaterThan(500);
    for (const page of ['index.html', 'packages/core/README.html', 'apps/cli/CONFIGURATION.html']) {
      expect(pages).toContain(page);
    }
  });

  it('has one main landmark on each page, for screen readers', () => {
    const landmarks = (page: string) => textOf(page).match(/<main\b|role="main"/g)?.length;
    // Its script writes that of the playground.
    const isWritten = (page: string) => !isApi(page) && page !== '404.html' && !page.startsWith('playground/');
    const own = pages.filter(isWritten);
    expect(own.filter((page) => landmarks(page) !== 1)).toEqual([]);
  });

  it('resolves every link inside it, with its fragment', () => {
    const ids = new Map<string, Set<string>>();
    const idsOf = (page: string) => {
      if (!ids.has(page)) ids.set(page, new Set([...textOf(page).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!)));
      return ids.get(page)!;
    };
    const broken: string[] = [];
    for (const page of pages) {
      for (const href of addresses(page, 'href')) {
        if (/^([a-z]+:|\/\/)/i.test(href)) continue;
        const [path = '', fragment = ''] = decodeURI(href).split('#');
        const target = posix.join(path.startsWith('/') ? '' : dirname(page), path.split('?')[0]!);
        const file = path === '' ? page : target === '/' ? 'index.html' : target.replace(/^\//, '');
        if (!existsSync(join(dist, file)) || !statSync(join(dist, file)).isFile()) broken.push(`${page}: ${href}`);
        else if (!isApi(page) && fragment !== '' && !idsOf(file).has(fragment)) broken.push(`${page}: ${href}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('names a line of the repository as the source of each symbol', () => {
    const repository = 'https://github.com/lmd-js/lmd/blob/main/';
    const lines = new Map<string, number>();
    const linesOf = (file: string) => {
      const path = join(folder, '..', '..', file);
      if (!lines.has(file)) lines.set(file, existsSync(path) ? readFileSync(path, 'utf8').split('\n').length : 0);
      return lines.get(file)!;
    };
    const sources = pages.filter(isApi).flatMap((page) =>
      addresses(page, 'href')
        .filter((href) => href.startsWith(repository))
        .map((href) => href.slice(repository.length)),
    );
    expect(sources.length).toBeGreaterThan(1000);
    const isWrong = (source: string) => {
      const [file = '', line] = source.split('#L');
      return !(Number(line) >= 1 && Number(line) <= linesOf(file));
    };
    expect([...new Set(sources.filter(isWrong))]).toEqual([]);
  });

  it('asks no other host for anything', () => {
    for (const page of pages) {
      const loaded = [...addresses(page, 'src'), ...(textOf(page).match(/<link\b[^>]*href="https?:[^>]*>/g) ?? [])];
      expect(
        loaded.filter((address) => /^(https?:)?\/\//.test(address) || /^<link/.test(address)),
        page,
      ).toEqual([]);
    }
  });

  it('loads less than 300 kB for the start page, compressed, before it trains', () => {
    const files = [...addresses('index.html', 'src'), ...addresses('index.html', 'href')].filter((address) =>
      /^\/assets\/.*\.(js|css)$/.test(address),
    );
    expect(files.length).toBeGreaterThan(3);
    const bytes = [...new Set(files)].map((file) => gzipSync(readFileSync(join(dist, file))).length);
    const total = gzipSync(textOf('index.html')).length + bytes.reduce((sum, one) => sum + one, 0);
    console.log(`start page: ${(total / 1000).toFixed(0)} kB`);
    expect(total).toBeLessThan(300_000);
  });
});
