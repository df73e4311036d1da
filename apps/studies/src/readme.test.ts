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
  writeFileSync(file, example!.replace('@lmd/studies', '../src/index.js'));
  const { study, interval } = await import(/* @vite-ignore */ file);
  expect(study.sweep).toBeUndefined();
  expect(study.final.evaluations).toBe(5);
  expect(interval.count).toBe(3);
  expect(interval.halfWidth).toBeCloseTo(0.00625, 4);
});
