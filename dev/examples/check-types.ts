import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, root } from './blocks.js';

const folder = join(root, 'dev', '.vitest', 'types');

/**
 * Compiler errors of TypeScript blocks, each a module, with the repository's strict options and the line numbers of the
 * pages.
 */
export function checkTypes(blocks: readonly Block[]): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { page, line, code } of blocks) {
    const name = `${page.replace(/\W+/g, '-')}-${line}.ts`;
    writeFileSync(join(folder, name), `${'\n'.repeat(line)}${code}\nexport {};\n`);
  }
  const configuration = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: { noEmit: true, paths: {}, types: ['node'], lib: ['ES2022', 'DOM'] },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }).stdout;
}
