import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.github', 'workflows');

// With a `packageManager` of pnpm in package.json, setup-node calls pnpm for its cache by default, and fails where pnpm
// is not installed: https://github.com/actions/setup-node/issues/1357.
it.each(readdirSync(folder))('%s sets Node up without the package manager', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  const steps = text.split(/^ {6}- /m).filter((step) => step.startsWith('uses: actions/setup-node@'));
  expect(steps.length).toBeGreaterThan(0);
  for (const step of steps) expect(step).toContain('package-manager-cache: false');
});
