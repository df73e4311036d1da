import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it("runs the README's training loop, and its loss falls", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(example).toBeDefined();
  const folder = fileURLToPath(new URL('../.vitest/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}readme-example.ts`, example as string);
  const { losses } = (await import(`${folder}readme-example.ts`)) as { losses: number[] };
  expect(losses).toHaveLength(20);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
});
