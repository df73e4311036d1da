import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The examples of the README under other test frameworks than this one. Jest and bun are large and are not installed
// with the repository: their tests run where LMD_JEST or LMD_BUN names the program, or the PATH has it.

const folder = fileURLToPath(new URL('frameworks', import.meta.url));

function run(program: string, words: readonly string[]): { status: number | null; output: string } {
  // The variables of this process are vitest's own: under NODE_TEST_CONTEXT, node:test would write for a parent.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: 'utf8', env });
  return { status, output: `${stdout}${stderr}` };
}

/** A program by its environment variable or from the PATH. */
function programOf(variable: string, name: string): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== '') return named;
  const found = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, name));
  return found.find((path) => existsSync(path));
}

it('passes under node:test, which has no expect', () => {
  const { status, output } = run(process.execPath, ['--test', 'node-test.test.mjs']);
  expect(output).toMatch(/# pass 13\d\n# fail 0\n/);
  expect(status).toBe(0);
});

it('passes in a loop without a framework', () => {
  const { status, output } = run(process.execPath, ['own-loop.mjs']);
  expect(output).toBe('');
  expect(status).toBe(0);
});

it('passes under jest', ({ skip }) => {
  const jest = programOf('LMD_JEST', 'jest');
  if (jest === undefined) return skip('jest is not installed: LMD_JEST may name its bin/jest.js');
  const words = ['--rootDir', folder, '--testMatch', '**/jest.test.mjs', '--transform', '{}'];
  const { status, output } = run(process.execPath, ['--experimental-vm-modules', jest, ...words]);
  expect(output).toMatch(/Tests: +13\d passed, 13\d total/);
  expect(status).toBe(0);
});

it('passes under bun', ({ skip }) => {
  const bun = programOf('LMD_BUN', 'bun');
  if (bun === undefined) return skip('bun is not installed: LMD_BUN may name it');
  const { status, output } = run(bun, ['test', './bun.test.mjs']);
  expect(output).toMatch(/13\d pass\n +0 fail/);
  expect(status).toBe(0);
});
