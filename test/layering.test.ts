import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

/** Files of a made-up workspace, with what each shows and the rules that it breaks. */
const cases: Readonly<Record<string, readonly [what: string, source: string, rules: readonly string[]]>> = {
  'packages/models/src/lower.ts': [
    'accepts an import of a lower package by its name',
    "export { core } from '@lmd/core';",
    [],
  ],
  'packages/core/src/upward.ts': [
    'refuses an import that points upward',
    "export { models } from '@lmd/models';",
    ['layering-core'],
  ],
  'packages/models/src/sibling.ts': [
    'refuses an import of a sibling that the package may not know',
    "export { reference } from '@lmd/backends/reference';",
    ['layering-models'],
  ],
  'packages/models/src/path.ts': [
    "refuses a path into another package's source",
    "export { inner } from '../../core/src/inner.js';",
    ['public-entries-only'],
  ],
  'packages/models/src/application.ts': [
    'refuses an application in a package',
    "export { cli } from '../../../apps/cli/src/index.js';",
    ['layering-models', 'no-apps-in-packages', 'public-entries-only'],
  ],
  'packages/core/src/built-in.ts': [
    'refuses Node built-ins in library code',
    "export { readFileSync } from 'node:fs';",
    ['no-node-in-libraries'],
  ],
  'packages/core/src/node/index.ts': [
    'allows Node built-ins under a /node entry',
    "export { readFileSync } from 'node:fs';",
    [],
  ],
  'packages/core/src/first.ts': [
    'refuses circular imports',
    "import { second } from './second.js';\nexport const first = second;",
    ['no-cycles'],
  ],
  'apps/cli/src/studies.ts': [
    'refuses the studies in the command',
    "export { studies } from '../../studies/src/index.js';",
    ['command-below-studies', 'public-entries-only'],
  ],
  'apps/examples/tour/src/entry.ts': [
    'accepts a package by its entry in an example',
    "export { core } from '@lmd/core';",
    [],
  ],
  'apps/examples/tour/src/inner.ts': [
    "refuses a path into a package's source in an example",
    "export { inner } from '../../../../packages/core/src/inner.js';",
    ['public-entries-only'],
  ],
  'apps/examples/tour/src/application.ts': [
    'refuses an application in an example',
    "export { cli } from '../../../cli/src/index.js';",
    ['examples-use-packages', 'public-entries-only'],
  ],
  'apps/examples/tour/src/other.ts': [
    'refuses another example in an example',
    "export { walk } from '../../walk/src/index.js';",
    ['examples-use-packages', 'public-entries-only'],
  ],
  'apps/cli/src/rows.ts': [
    'refuses what serves development in what ships',
    "export { rows } from '../../../dev/bench/rows.js';",
    ['nothing-ships-dev'],
  ],
};

/** The rules that each file of the workspace breaks, judged by the repository's own configuration. */
function brokenRules(): ReadonlyMap<string, readonly string[]> {
  const workspace = mkdtempSync(join(tmpdir(), 'lmd-layering-'));
  try {
    for (const file of ['.dependency-cruiser.mjs', 'tsconfig.base.json', 'package.json'])
      cpSync(join(root, file), join(workspace, file));
    symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'), 'junction');
    const all: Record<string, string> = {
      'packages/core/src/index.ts': 'export const core = 1;',
      'packages/core/src/inner.ts': 'export const inner = 1;',
      'packages/core/src/second.ts': "import { first } from './first.js';\nexport const second = () => first;",
      'packages/models/src/index.ts': 'export const models = 1;',
      'packages/backends/src/reference/index.ts': 'export const reference = 1;',
      'apps/cli/src/index.ts': 'export const cli = 1;',
      'apps/studies/src/index.ts': 'export const studies = 1;',
      'apps/examples/walk/src/index.ts': 'export const walk = 1;',
      'dev/bench/rows.ts': 'export const rows = 1;',
      ...Object.fromEntries(Object.entries(cases).map(([path, [, source]]) => [path, source])),
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true });
      writeFileSync(join(workspace, path), text);
    }
    for (const folder of ['packages/core', 'packages/models', 'packages/backends', 'apps/cli', 'apps/examples/tour']) {
      writeFileSync(
        join(workspace, folder, 'package.json'),
        JSON.stringify({ name: `@lmd/${folder.split('/').at(-1)}`, type: 'module' }),
      );
    }
    // The JSON reporter always exits with 0: the verdict is in its output.
    const output = execFileSync(
      process.execPath,
      [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'packages', 'apps'],
      { cwd: workspace, encoding: 'utf8' },
    );
    const violations: { from: string; rule: { name: string } }[] = JSON.parse(output).summary.violations;
    const broken = new Map<string, string[]>();
    for (const { from, rule } of violations) {
      const known = broken.get(from) ?? [];
      if (!known.includes(rule.name)) broken.set(from, [...known, rule.name].sort());
    }
    return broken;
  } finally {
    rmSync(workspace, { recursive: true });
  }
}

const broken = brokenRules();

it.each(Object.entries(cases).map(([path, [what, , rules]]) => [what, path, rules] as const))(
  '%s',
  (_, path, rules) => {
    expect(broken.get(path) ?? []).toEqual(rules);
  },
);

it('finds no fault in any other file', () => {
  expect([...broken.keys()].filter((path) => !Object.hasOwn(cases, path))).toEqual([]);
});
