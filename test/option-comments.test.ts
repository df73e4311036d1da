import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeOption, type OptionTable } from '@lmd/core';
import { expect, it } from 'vitest';
import { commentLines } from '../comments.shared.mjs';

// An editor shows the doc comment of an option, which therefore stands above it in its table.
// `UPDATE_DOCS=1 npx vitest run test/option-comments.test.ts` writes the comments from the tables; without it this
// checks them.

const root = fileURLToPath(new URL('..', import.meta.url));

/** Sources that declare a table of options. */
function sources(): string[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name, 'src'))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
    .filter((path) => path.endsWith('.ts') && /^export const \w+OptionTable = \{$/m.test(readFileSync(path, 'utf8')));
}

/**
 * The source with the doc comment of every option that it declares itself; those of a spread table stand where that is.
 */
function commented(source: string, name: string, table: OptionTable): string {
  const start = source.indexOf(`export const ${name} = {\n`);
  const end = source.indexOf('\n}', start);
  const bare = source.slice(start, end).replace(/^ {2}\/\*\*[\s\S]*?\*\/\n/gm, '');
  const body = bare.replace(
    /^ {2}(\w+): /gm,
    (line, option) => `${commentLines([describeOption(table[option]!)], '  ').join('\n')}\n${line}`,
  );
  return source.slice(0, start) + body + source.slice(end);
}

it('every option has the doc comment that its table gives', async () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(9);
  for (const file of files) {
    const source = readFileSync(file, 'utf8');
    const tables: Record<string, OptionTable> = await import(/* @vite-ignore */ file);
    let expected = source;
    for (const [, name] of source.matchAll(/^export const (\w+OptionTable) = \{$/gm)) {
      expected = commented(expected, name!, tables[name!]!);
    }
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, expected);
    else expect(source, file).toBe(expected);
  }
});
