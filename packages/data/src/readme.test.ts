import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { DatasetBatch } from '@lmd/training';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

async function run(index: number): Promise<Record<string, unknown>> {
  const file = new URL(`../.vitest/readme-example-${index}.ts`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, examples[index]!);
  return await import(/* @vite-ignore */ file.href);
}

it('the example of text runs and gives what it says', async () => {
  const { text, next, size } = await run(0);
  expect(text).toBe('A stitch in time saves nine. A stitch in time saves nine. A stitch');
  expect(next).toBe(' stitch in time saves nine. A stitch in time saves nine. A stitch in');
  expect(size).toBe(16);
});

it('the example of images runs and gives what it says', async () => {
  const { again, augmented, plain } = (await run(1)) as Record<string, DatasetBatch>;
  expect(again).toEqual(augmented);
  expect(augmented!.softLabels!.shape).toEqual([2, 2]);
  expect(plain!.softLabels).toBeUndefined();
  expect(new Set(plain!.inputs.data)).toEqual(new Set([-1, 1]));
});
