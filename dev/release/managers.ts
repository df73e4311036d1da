import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../examples/blocks.js';
import { environmentOf, setting } from './setting.js';

export interface Manager {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** The command, to which names of packages are added, that adds them to the project in the working directory. */
  readonly add: readonly [string, ...string[]];
  /** Why it cannot be tested here. */
  readonly missing?: string;
}

const modules = join(setting.engine, 'node_modules');
const node = process.execPath;

/** bun is a binary in a package of its own for each platform; one that the processor cannot run does not answer. */
function bun(): { readonly program: string; readonly missing?: string } {
  const scope = join(modules, '@oven');
  const programs = (existsSync(scope) ? readdirSync(scope) : []).flatMap((name) =>
    ['bun', 'bun.exe'].map((file) => join(scope, name, 'bin', file)),
  );
  const program = programs.find((path) => spawnSync(path, ['--version']).status === 0);
  if (program !== undefined) return { program };
  return { program: 'bun', missing: `bun has no binary that runs on ${process.platform} ${process.arch}` };
}

/** npm, pnpm, yarn 1 and bun. */
export function managers(): readonly Manager[] {
  const { program, missing } = bun();
  const described: readonly Omit<Manager, 'env'>[] = [
    { name: 'npm', add: [...setting.npm, 'install', '--loglevel=error'] },
    {
      name: 'pnpm',
      add: [node, join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs'), 'add', '--reporter=append-only'],
    },
    { name: 'yarn', add: [node, join(modules, 'yarn', 'bin', 'yarn.js'), 'add', '--non-interactive'] },
    { name: 'bun', add: [program, 'add'], ...(missing === undefined ? {} : { missing }) },
  ];
  return described.map((manager) => ({ ...manager, env: environmentOf(manager.name) }));
}
