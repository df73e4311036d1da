import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

/** Runs an example of the README as a module. */
async function run(index: number) {
  const folder = new URL('../.vitest/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`readme-example-${index}.ts`, folder);
  writeFileSync(file, examples[index]!);
  return import(/* @vite-ignore */ file.href);
}

it('runs the example in the README', async () => {
  const { fast, exact } = await run(0);
  expect(Math.abs(exact - 1)).toBeLessThan(0.15);
  expect(fast).toBeCloseTo(exact, 6);
});

it('runs the example of the cpu backend', async () => {
  const { size, held } = await run(1);
  expect(size).toBe(16);
  expect(held).toEqual({ tensors: 3, bytes: 4 * (32 + 16 + 16) });
});
