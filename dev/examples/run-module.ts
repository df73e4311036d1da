import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { type Block, root } from './blocks.js';

const helper = new URL('./expect.mjs', import.meta.url).href;

/**
 * Converts each comment `// => value` to a comparison with the expression before it, or with the variable declared on
 * the line. Returns the code and the number of comparisons.
 */
export function withExpectations(code: string): { readonly code: string; readonly count: number } {
  let count = 0;
  const lines = code.split('\n').map((line) => {
    const [, statement, expected] = /^\s*(.*?);?\s*\/\/ => (.+)$/.exec(line) ?? [];
    if (statement === undefined) return line;
    count += 1;
    const declared = /^(?:export )?(?:const|let) (?:\{ (\w+) \}|(\w+))(?::[^=]*)? =/.exec(statement);
    const name = declared?.[1] ?? declared?.[2];
    if (name !== undefined) return `${statement}; __expect(${name}, ${expected});`;
    return `__expect(${statement}, ${expected});`;
  });
  return { code: lines.join('\n'), count };
}

export interface Outcome {
  readonly failed: boolean;
  readonly output: string;
}

/** Modules here are modules of `dev`, which depends on every package. */
const scratchOfDev = join(root, 'dev', '.vitest', 'examples');

/**
 * Runs a TypeScript or JavaScript block in `folder`, as a module in `scratch`, whose packages it imports: by default,
 * the built packages of the repository.
 *
 * @throws Error if the example has no expected result or cannot be parsed.
 */
export async function runModule(
  { page, line, code }: Block,
  folder: string,
  scratch: string = scratchOfDev,
): Promise<Outcome> {
  const { code: expecting, count } = withExpectations(code);
  if (count === 0)
    throw new Error(`${page}:${line}: the example has no comment "// => value". Add one with the expected result.`);
  const { code: program } = await transform(`import { expectExample as __expect } from '${helper}';\n${expecting}`, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
  });
  mkdirSync(scratch, { recursive: true });
  const file = join(scratch, `${page.replace(/\W+/g, '-')}-${line}.mjs`);
  writeFileSync(file, program);
  const options = { cwd: folder, encoding: 'utf8', timeout: 120_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [file], options);
  if (error !== undefined) throw error;
  return { failed: status !== 0, output: stdout + stderr };
}
