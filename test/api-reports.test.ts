import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { missingChangesets } from '../scripts/api-changesets.mjs';
import { apiReports } from '../scripts/api-report.mjs';

const work = mkdtempSync(join(tmpdir(), 'lmd-api-'));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('the report of an entry point', () => {
  const report = (name: string, files: Readonly<Record<string, string>>): string => {
    for (const [file, text] of Object.entries(files)) write(join(work, name, 'dist', file), text);
    const entry = { specifier: '@my/package', types: join(work, name, 'dist', 'index.d.ts'), report: 'index.api.md' };
    return apiReports([entry]).get('index.api.md')!;
  };
  const shape = 'interface Shape {\n  /** Sides. */\n  readonly sides: number;\n}\n';
  const area = 'declare function area(shape: Shape): number;\n';

  it('has exports, the types that they refer to and no comments, whatever the files of the build are called', () => {
    const text = report('chunks', {
      'index.d.ts':
        "import { S as Shape } from './shape-1aB.js';\n/** Says. */\ndeclare function area(shape: Shape): number;\nexport { area };\n",
      'shape-1aB.d.ts': `${shape}interface Unused { a: 1 }\nexport { type Shape as S, type Unused as U };\n`,
    });
    expect(text).toContain('export function area(shape: Shape): number;');
    expect(text).toContain(
      '## Types that they refer to\n\n```ts\ninterface Shape {\n    readonly sides: number;\n}\n```',
    );
    expect(text).not.toMatch(/Unused|Says|Sides|1aB/);
    expect(report('one-file', { 'index.d.ts': `${shape}${area}export { area };\n` })).toBe(text);
  });

  it('lists the literals of a union in one order', () => {
    const union = (types: string) => ({
      'index.d.ts': `declare function pool(by: (${types})[]): void;\nexport { pool };\n`,
    });
    const text = report('union', union('"mean" | "classToken" | 2'));
    expect(text).toContain('pool(by: ("classToken" | "mean" | 2)[]): void;');
    expect(report('other-union', union('2 | "classToken" | "mean"'))).toBe(text);
  });

  it('differs if a type differs that no export names', () => {
    const before = report('before', { 'index.d.ts': `${shape}${area}export { area };\n` });
    const after = report('after', { 'index.d.ts': `${shape.replace('number', 'string')}${area}export { area };\n` });
    expect(after).not.toBe(before);
  });
});

describe('a changed report', () => {
  const folder = join(work, 'clone');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
  const commit = () => {
    git('add', '--all');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--message', 'change');
  };
  const report = join(folder, 'packages', 'core', 'api', 'index.api.md');

  it('needs a changeset of its branch that names its package', () => {
    mkdirSync(folder);
    expect(missingChangesets(folder).skipped).toBe('this is no clone with commits');
    git('init', '--quiet', '--initial-branch=main');
    write(join(folder, 'packages', 'core', 'package.json'), '{ "name": "@my/core" }');
    write(report, 'before');
    write(join(folder, '.changeset', 'old.md'), "---\n'@my/core': minor\n---\n\nAn older change.\n");
    commit();
    git('checkout', '--quiet', '-b', 'work');
    expect(missingChangesets(folder)).toEqual({ missing: [] });

    writeFileSync(report, 'after');
    expect(missingChangesets(folder)).toEqual({ missing: ['@my/core'] });
    commit();
    expect(missingChangesets(folder)).toEqual({ missing: ['@my/core'] });
    write(join(folder, '.changeset', 'other.md'), '---\n"@my/core-tools": patch\n---\n\nAnother package.\n');
    expect(missingChangesets(folder)).toEqual({ missing: ['@my/core'] });
    write(join(folder, '.changeset', 'new.md'), '---\n"@my/other": patch\n"@my/core": minor\n---\n\nA change.\n');
    expect(missingChangesets(folder)).toEqual({ missing: [] });
  });

  it('is not judged without the branch that it left', () => {
    git('branch', '--quiet', '-D', 'main');
    expect(missingChangesets(folder)).toMatchObject({
      skipped: expect.stringContaining('main is missing'),
      missing: [],
    });
  });
});
