// Executes the examples of the documentation. A page says itself what happens to each of its blocks of ts, js and sh,
// in an HTML comment before the block; a block without one fails. docs/examples.md describes the comments:
//
//   <!-- run -->                              executed: a module by Node, with its comments `// => value` compared;
//                                             commands one by one
//   <!-- run: with FILE as NAME -->           the same, with a file or folder, relative to the page, copied to
//                                             where it runs
//   <!-- run: if its engine is installed -->  the same, except where the optional engine that it needs is missing
//   <!-- from: FILE -->                       its lines are in this file of its package, which a test executes
//   <!-- file: NAME -->                       written to where the page's blocks run, for a later block
//   <!-- excerpt: FILE -->                    the same for a part of a module, which does not compile on its own
//   <!-- skip: REASON -->                     not executed
//
// All blocks of a page run in order in one temporary folder, by the packages' builds. Two files of tests divide the
// pages.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandServer } from '../../vitest.commands.ts';
import { offerSoftwareWebgpu } from '../../vitest.webgpu.ts';
import { type Block, blocksOf, packageOf, root } from './blocks.js';
import { faultOf, type Help, mentionsOf, readHelp } from './mentions.js';
import { commandsOf, lmdProgram, runCommand } from './run-commands.js';
import { runModule } from './run-module.js';

offerSoftwareWebgpu();

/** Runs `lmd` for the blocks of one page. */
const server = new CommandServer(lmdProgram);
export const runLmd = (words: readonly string[], folder: string) => server.run(words, folder);
afterAll(() => server.close());

/** The code of a file as an example shows it: with the name of its package in place of its own index. */
function asExample(page: string, file: string): string {
  const { name } = JSON.parse(readFileSync(join(packageOf(page), 'package.json'), 'utf8')) as { name: string };
  return readFileSync(join(packageOf(page), file), 'utf8').replace(/'\.{1,2}\/(?:src\/)?index\.js'/g, `'${name}'`);
}
/** Imports may come in another order, and comments differ. */
const essence = (code: string) =>
  code
    .split('\n')
    .map((line) => line.replace(/\s*\/\/.*$/, '').trim())
    .filter((line) => line !== '')
    .sort();

/** The blocks of a page; none, with the error, where one does not say what happens to it. */
export function readBlocks(page: string): { readonly blocks: readonly Block[]; readonly error?: unknown } {
  try {
    return { blocks: blocksOf(page) };
  } catch (error) {
    return { blocks: [], error };
  }
}

/** Tests the pages, in the file that calls it: files of tests run beside each other. */
export function testPages(names: readonly string[]): void {
  describe.each(names)('%s', (page) => {
    const { blocks, error } = readBlocks(page);
    if (error !== undefined) {
      it('says what happens to each of its blocks', () => {
        throw error;
      });
    }
    const text = readFileSync(join(root, page), 'utf8');
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'lmd-examples-'));
      // A user's folder has the packages installed.
      symlinkSync(join(root, 'dev', 'node_modules'), join(folder, 'node_modules'), 'junction');
    });
    afterAll(() => {
      server.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    // A file may replace one that a command has imported.
    const writeBlock = (file: string, code: string) => {
      server.close();
      writeFileSync(join(folder, file), `${code}\n`);
    };
    const copyFiles = ({ mark }: Block) => {
      for (const { from, to } of mark.kind === 'run' ? mark.copies : []) {
        cpSync(join(dirname(join(root, page)), from), join(folder, to), { recursive: true });
      }
    };

    for (const block of blocks) {
      const { mark, line, language, code } = block;
      if (mark.kind === 'skip') {
        it.skip(`line ${line}: ${mark.reason}`, () => {});
      } else if (mark.kind === 'from' || mark.kind === 'excerpt') {
        it(`line ${line} is in ${mark.file}`, () => {
          expect(essence(asExample(page, mark.file))).toEqual(expect.arrayContaining(essence(code)));
        });
      } else if (mark.kind === 'file') {
        it(`line ${line} is ${mark.file}`, () => writeBlock(mark.file, code));
      } else if (language === 'sh') {
        it.each(commandsOf(code).map((command, index) => [command, index] as const))(
          `line ${line}: %s`,
          async (command, index) => {
            if (index === 0) copyFiles(block);
            await runCommand(command, folder, runLmd);
          },
        );
      } else {
        it(`line ${line} runs`, async (context) => {
          copyFiles(block);
          const { failed, output } = await runModule(block, folder);
          if (failed && mark.ifEngine && output.includes("'ENGINE_MISSING'"))
            context.skip('its engine is not installed');
          expect(failed, output).toBe(false);
        });
      }
    }

    it('names commands, options and files that exist', async () => {
      const known = await help();
      const faults = mentionsOf(text).map((command) => ({ command, fault: faultOf(command, page, known) }));
      expect(faults.filter(({ fault }) => fault !== undefined)).toEqual([]);
    });
  });
}

let helpOnce: Promise<Help> | undefined;
export function help(): Promise<Help> {
  helpOnce ??= readHelp(runLmd);
  return helpOnce;
}
