import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, pages } from './blocks.js';
import { checkTypes } from './check-types.js';
import { faultOf } from './mentions.js';
import { lmdOf, lmdProgram, runCommand } from './run-commands.js';
import { runModule, withExpectations } from './run-module.js';
import { help, readBlocks, runLmd, testPages } from './test-pages.js';

// Those in docs are tested by docs.test.ts, beside this file.
testPages(pages().filter((page) => !page.startsWith('docs/')));

it('examples in TypeScript have no type errors', () => {
  const blocks = pages().flatMap((page) => readBlocks(page).blocks);
  const compiled = ['run', 'from'];
  const modules = blocks.filter(({ language, mark }) => language === 'ts' && compiled.includes(mark.kind));
  expect(modules.length).toBeGreaterThan(15);
  expect(checkTypes(modules)).toBe('');
});

describe('lmd --help', () => {
  it('shows examples of every command, with options that exist', async () => {
    const known = await help();
    const { commands, examples } = known;
    expect(commands.size).toBeGreaterThan(7);
    for (const [name, text] of commands) expect(text, name).toMatch(/Examples:\n {2}lmd /);
    expect(examples.map((command) => faultOf(command, 'README.md', known)).filter(Boolean)).toEqual([]);
  });
});

describe('the runner', () => {
  it('refuses a block that does not say what happens to it', () => {
    expect(() => blocksOf('a.md', '```ts\n1;\n```\n')).toThrow('a.md:1: the block has no mark');
    expect(() => blocksOf('a.md', '<!-- skip -->\n```ts\n1;\n```\n')).toThrow('is not a mark');
    expect(() => blocksOf('a.md', '<!-- run: twice -->\n```ts\n1;\n```\n')).toThrow('"twice" is unknown');
    expect(() => blocksOf('a.md', '```\nnpm start\n```\n')).toThrow('language is ""');
    expect(() => blocksOf('a.md', 'Run\n\n    npm start now\n')).toThrow(
      'a.md:3: an indented block contains a command',
    );
  });

  it('compares what an example says', () => {
    const { code, count } = withExpectations(
      "const a = 1; // => 1\nconst { b } = x; // => 'b'\nf(a).c; // => [1]\nf(a); // calls",
    );
    expect(count).toBe(3);
    expect(code).toBe(
      "const a = 1; __expect(a, 1);\nconst { b } = x; __expect(b, 'b');\n__expect(f(a).c, [1]);\nf(a); // calls",
    );
  });

  it('fails for another value, an error and another exit code', async () => {
    const block = (code: string): Block => ({
      page: 'README.md',
      line: 0,
      language: 'ts',
      code,
      mark: { kind: 'run', ifEngine: false, copies: [] },
    });
    expect(await runModule(block('Float32Array.of(1, 2); // => [1, 2]'), tmpdir())).toMatchObject({ failed: false });
    expect(await runModule(block('const a: number = 1; // => 2'), tmpdir())).toMatchObject({ failed: true });
    expect(await runModule(block("throw new Error('no'); // => 1"), tmpdir()).catch(() => 'unreadable')).toBe(
      'unreadable',
    );
    await expect(runModule(block('1;'), tmpdir())).rejects.toThrow('no comment "// => value"');
    const nonsense = runCommand('lmd train --nonsense', tmpdir(), lmdOf(lmdProgram));
    await expect(nonsense).rejects.toThrow('ended with');
    await expect(runCommand('curl example.org', tmpdir(), runLmd)).rejects.toThrow('cannot be run');
  });
});
