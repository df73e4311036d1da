import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { columns } from './backends.mjs';
import { render } from './render.mjs';

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

it('docs/backends.md is what its figures and the bounds give', () => {
  const names = columns.map(({ name }: { name: string }) => name);
  // `npm run docs:backends -- --render` writes it anew.
  expect(page('backends.md')).toBe(render(names, JSON.parse(page('backends.json'))));
});
