import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

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
