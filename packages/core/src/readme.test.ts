import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));

it('runs the example of the README', async () => {
  const readme = await readFile(`${packageFolder}/README.md`, 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  await mkdir(`${packageFolder}/.vitest`, { recursive: true });
  const path = `${packageFolder}/.vitest/readme-example.ts`;
  await writeFile(path, example);
  const { learned, tensors } = await import(/* @vite-ignore */ path);
  const errors = [0.5, -0.25, 0].map((target, i) => Math.abs(learned[i] - target));
  expect(Math.max(...errors)).toBeLessThan(0.02);
  // The weights, the state's vectors and prior, and the target.
  expect(tensors).toBeLessThan(10);
});
