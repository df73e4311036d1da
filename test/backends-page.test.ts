import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

it('docs/backends.md is what its figures and the bounds give', async () => {
  const { columns } = await import(path('dev/parity/backends/backends.mjs'));
  const { render } = await import(path('dev/parity/backends/render.mjs'));
  const records = JSON.parse(readFileSync(path('docs/backends.json'), 'utf8'));
  const names = columns.map(({ name }: { name: string }) => name);
  // `npm run docs:backends -- --render` writes it anew.
  expect(readFileSync(path('docs/backends.md'), 'utf8')).toBe(render(names, records));
});
