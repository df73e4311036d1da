import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const width = 120;

/** Lines that nobody wraps: addresses, and pages that commands write. */
const generated =
  /\.generated\.|CHANGELOG|CONFIGURATION\.md|THIRD-PARTY|docs\/(backends|optimizers|performance|studies\/)/;

const elsewhere = new Set(['node_modules', 'dist', 'runs', 'build']);

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || elsewhere.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|mts|mjs|c|h|md)$/.test(entry.name)) yield path;
  }
}

/** Numbers of the comment lines, or of the lines of Markdown paragraphs, that are too long. */
function tooLong(path: string, text: string): number[] {
  const found: number[] = [];
  let code = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (path.endsWith('.md') && line.trimStart().startsWith('```')) code = !code;
    if ([...line].length <= width || line.includes('://')) continue;
    const isProse = path.endsWith('.md') ? !code && !/^\s*(\||<!--)/.test(line) : /^\s*(\/\/|\/?\*)/.test(line);
    if (isProse) found.push(index + 1);
  }
  return found;
}

it('finds lines that are too long', () => {
  const long = 'x'.repeat(width);
  expect(tooLong('a.ts', `// ${long}\ncode(); ${long}\n * ${long}\n// short`)).toEqual([1, 3]);
  expect(tooLong('a.md', `${long}y\n| ${long}\n\`\`\`\n${long}y\n\`\`\`\n- ${long}`)).toEqual([1, 6]);
});

it(`comments and paragraphs end at column ${width}`, () => {
  const paths = [...sources(root)];
  expect(paths.length).toBeGreaterThan(1000);
  const found = paths
    .map((path) => relative(root, path).replaceAll('\\', '/'))
    .filter((path) => !generated.test(path))
    .flatMap((path) => tooLong(path, readFileSync(join(root, path), 'utf8')).map((line) => `${path}:${line}`));
  expect(found).toEqual([]);
});
