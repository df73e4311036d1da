import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the README example runs and gives what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(code).toBeDefined();
  const file = new URL('../.vitest/readme-example.ts', import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, code!);
  const example = await import(/* @vite-ignore */ file.href);
  expect(example.weight).toEqual(new Float32Array([1, 2, 3, 4, 5, 6]));
  expect(example.summary).toBe('lmd: layer.weight, layer.scales, layer.codes');
});
