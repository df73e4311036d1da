import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { sizeOf } from '@lmd/core';
import { expect, it } from 'vitest';
import { gpt2, gpt2Preset, gpt2Presets, vit, vitPreset, vitPresets } from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('runs the example in the README', async () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const folder = new URL('../.vitest/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL('readme-example.ts', folder);
  writeFileSync(file, example);
  const { shape, parameters } = await import(/* @vite-ignore */ file.href);
  expect(shape).toEqual([2, 10]);
  expect(parameters).toBe(19);
});

it.each([
  ...Object.keys(vitPresets).map((name) => [name, vit(vitPreset(name))] as const),
  ...Object.keys(gpt2Presets).map((name) => [name, gpt2(gpt2Preset(name))] as const),
])('states the number of parameters of %s in the README', (name, { parameters }) => {
  const count = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const row = readme.split('\n').find((line) => line.startsWith('| `') && line.includes(`\`${name}\``));
  expect(row).toContain(count.toLocaleString('en-US'));
});
