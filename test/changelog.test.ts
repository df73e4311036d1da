import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { published } from '../scripts/packed.mjs';
import { breaksFirst } from '../scripts/version-packages.mjs';

const { getReleaseLine, getDependencyReleaseLine } = createRequire(import.meta.url)('../.changeset/changelog.cjs') as {
  getReleaseLine: (changeset: { summary: string }) => Promise<string>;
  getDependencyReleaseLine: (
    changesets: readonly unknown[],
    dependencies: readonly { name: string; newVersion: string }[],
  ) => Promise<string>;
};

describe('changelogs', () => {
  it('take a list as it is', async () => {
    const list = '- **Breaking.** One\n  and more.\n- **Added.** Two.';
    expect(await getReleaseLine({ summary: `${list}\n` })).toBe(list);
  });

  it('take any other text as one entry', async () => {
    expect(await getReleaseLine({ summary: 'One\nand more.\n\nTwo.' })).toBe('- One\n  and more.\n\n  Two.');
  });

  it('name the dependencies of ours that changed in one line', async () => {
    const dependencies = [
      { name: '@lmd/core', newVersion: '0.2.0' },
      { name: '@lmd/data', newVersion: '0.2.1' },
    ];
    expect(await getDependencyReleaseLine([], dependencies)).toBe('- Updated: `@lmd/core` 0.2.0, `@lmd/data` 0.2.1.');
    expect(await getDependencyReleaseLine([], [])).toBe('');
  });
});

/** The entries of each section of a changelog, white space aside. */
const sectionsOf = (text: string) =>
  text.split(/^### .*\n/m).map((section) =>
    section
      .split(/\n(?=- |## )|^(?=- )/)
      .filter((entry) => entry.startsWith('- '))
      .map((entry) => entry.replaceAll(/\s+/g, ' ').trim()),
  );

/** Entries as long as this say what a package of its own does. */
const longEntry = 120;

describe('the changelogs of the packages', () => {
  // A package that was never released has none.
  const texts = published
    .map(({ folder }) => join(folder, 'CHANGELOG.md'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));

  it('have no long entry in common: each says what its own package does', () => {
    const seen = new Set<string>();
    const twice: string[] = [];
    for (const text of texts) {
      const own = new Set(sectionsOf(text).flat());
      for (const entry of own) {
        // `npm run version-packages` writes these.
        if (entry.startsWith('- Needs new releases of ')) continue;
        if (entry.length >= longEntry && seen.has(entry)) twice.push(entry);
        seen.add(entry);
      }
    }
    expect(twice).toEqual([]);
  });

  it('list what breaks first, in the newest version alone', () => {
    const older = '## 0.1.0\n\n### Minor Changes\n\n- Old.\n- **Breaking.** Old.\n';
    const section = (...entries: string[]) =>
      `# a\n\n## 0.2.0\n\n### Minor Changes\n\n${entries.join('\n')}\n\n${older}`;
    const [two, one] = ['- Two.\n  More.', '- **Breaking.** One.'];
    expect(breaksFirst(section(two, one))).toBe(section(one, two));
    for (const text of texts) expect(breaksFirst(text)).toBe(text);
  });

  it('name breaks first', () => {
    for (const section of texts.flatMap(sectionsOf)) {
      const breaks = section.map((entry) => entry.startsWith('- **Breaking.**'));
      expect(section.slice(0, breaks.lastIndexOf(true) + 1).filter((_, i) => !breaks[i])).toEqual([]);
    }
  });
});
