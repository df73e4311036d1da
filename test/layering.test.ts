import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The names of the rules that a made-up workspace breaks, judged by the repository's own configuration. */
function brokenRules(files: Record<string, string>): string[] {
  const workspace = mkdtempSync(join(tmpdir(), 'lmd-layering-'));
  folders.push(workspace);
  for (const file of ['.dependency-cruiser.mjs', 'tsconfig.base.json', 'package.json'])
    cpSync(join(root, file), join(workspace, file));
  symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'), 'junction');
  const all: Record<string, string> = {
    'packages/core/src/index.ts': 'export const core = 1;',
    'packages/core/src/inner.ts': 'export const inner = 1;',
    'packages/models/src/index.ts': 'export const models = 1;',
    'packages/backends/src/reference/index.ts': 'export const reference = 1;',
    'apps/cli/src/index.ts': 'export const cli = 1;',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  for (const folder of ['packages/core', 'packages/models', 'packages/backends', 'apps/cli']) {
    writeFileSync(
      join(workspace, folder, 'package.json'),
      JSON.stringify({ name: `@lmd/${folder.split('/')[1]}`, type: 'module' }),
    );
  }
  // The JSON reporter always exits with 0: the verdict is in its output.
  const output = execFileSync(
    process.execPath,
    [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'packages', 'apps'],
    { cwd: workspace, encoding: 'utf8' },
  );
  const violations: { rule: { name: string } }[] = JSON.parse(output).summary.violations;
  return [...new Set(violations.map((violation) => violation.rule.name))].sort();
}

it('accepts an import of a lower package by its name', () => {
  expect(brokenRules({ 'packages/models/src/index.ts': "export { core } from '@lmd/core';" })).toEqual([]);
});

it('refuses an import that points upward', () => {
  expect(brokenRules({ 'packages/core/src/index.ts': "export { models } from '@lmd/models';" })).toEqual([
    'layering-core',
  ]);
});

it('refuses an import of a sibling that the package may not know', () => {
  const files = { 'packages/models/src/index.ts': "export { reference } from '@lmd/backends/reference';" };
  expect(brokenRules(files)).toEqual(['layering-models']);
});

it("refuses a path into another package's source", () => {
  const files = { 'packages/models/src/index.ts': "export { inner } from '../../core/src/inner.js';" };
  expect(brokenRules(files)).toEqual(['public-entries-only']);
});

it('refuses an application in a package', () => {
  const files = { 'packages/models/src/index.ts': "export { cli } from '../../../apps/cli/src/index.js';" };
  expect(brokenRules(files)).toContain('no-apps-in-packages');
});

it('refuses Node built-ins in library code, and allows them under a /node entry', () => {
  expect(brokenRules({ 'packages/core/src/index.ts': "export { readFileSync } from 'node:fs';" })).toEqual([
    'no-node-in-libraries',
  ]);
  expect(brokenRules({ 'packages/core/src/node/index.ts': "export { readFileSync } from 'node:fs';" })).toEqual([]);
});

it('refuses circular imports', () => {
  const files = {
    'packages/core/src/index.ts': "import { inner } from './inner.js';\nexport const core = inner;",
    'packages/core/src/inner.ts': "import { core } from './index.js';\nexport const inner = () => core;",
  };
  expect(brokenRules(files)).toEqual(['no-cycles']);
});

it('refuses the studies in the command', () => {
  const files = {
    'apps/studies/src/index.ts': 'export const studies = 1;',
    'apps/cli/src/index.ts': "export { studies } from '../../studies/src/index.js';",
  };
  expect(brokenRules(files)).toContain('command-below-studies');
});

it('refuses what serves development in what ships', () => {
  const files = {
    'dev/bench/rows.ts': 'export const rows = 1;',
    'apps/cli/src/index.ts': "export { rows } from '../../../dev/bench/rows.js';",
  };
  expect(brokenRules(files)).toEqual(['nothing-ships-dev']);
});
