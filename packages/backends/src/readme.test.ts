import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('runs the example in the README', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const folder = new URL('../.vitest/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL('readme-example.ts', folder);
  writeFileSync(file, example);
  const { fast, exact } = await import(/* @vite-ignore */ file.href);
  expect(Math.abs(exact - 1)).toBeLessThan(0.15);
  expect(fast).toBeCloseTo(exact, 6);
});
