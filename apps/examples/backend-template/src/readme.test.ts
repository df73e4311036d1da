import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the example in the README runs', async () => {
  const folder = new URL('../.vitest/', import.meta.url);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(example).toBeDefined();
  mkdirSync(folder, { recursive: true });
  const file = fileURLToPath(new URL('readme-example.ts', folder));
  writeFileSync(file, example!.replace('@lmd/backend-template', '../src/index.js'));
  const { probabilities } = await import(/* @vite-ignore */ file);
  expect(probabilities.length).toBe(4);
  expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 6);
});
