import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The plug-in of an example is what stands directly in its src; src/experiment measures it.

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = ['dale-langevin', 'one-shot', 'continual', 'federated-signs'];

/** Names of the packages that are published. */
const published = readdirSync(join(root, 'packages'))
  .map((folder) => JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')))
  .filter((manifest) => manifest.private !== true)
  .map(({ name }) => name as string);

function plugInOf(example: string) {
  const folder = join(root, 'apps', 'examples', example, 'src');
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !['index.ts', 'run.ts'].includes(file),
  );
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
}

/** The imports that a plug-in may not have: it stands alone beside published packages. */
function strange(source: string): string[] {
  const specifiers = [...source.matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, specifier]) => specifier!);
  return specifiers.filter((specifier) => {
    if (specifier.startsWith('.')) return !/^\.\/[\w-]+\.js$/.test(specifier);
    return !published.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  });
}

describe.each(examples)('the plug-in of %s', (example) => {
  const files = plugInOf(example);

  it('has at most 300 lines, with comments', () => {
    const lines = files.reduce((sum, text) => sum + text.trimEnd().split('\n').length, 0);
    expect(lines).toBeGreaterThan(20);
    expect(lines).toBeLessThanOrEqual(300);
  });

  it('imports published packages by their entries, and itself', () => {
    expect(files.flatMap(strange)).toEqual([]);
  });
});

it('sees an import that a plug-in may not have', () => {
  expect(strange("import { a } from './a.js';\nimport { b } from '@lmd/data/node';")).toEqual([]);
  const refused = ['./experiment/a.js', '../a.js', '@lmd/report', '@lmd/example-shared', '@lmd/core-inner', 'node:fs'];
  for (const one of refused) expect(strange(`import { a } from '${one}';`)).toEqual([one]);
});
