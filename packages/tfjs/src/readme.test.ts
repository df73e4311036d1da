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
  const { accuracy } = await import(/* @vite-ignore */ path);
  expect(accuracy).toBeGreaterThanOrEqual(0.95);
});
