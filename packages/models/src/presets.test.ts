import { readFileSync } from 'node:fs';
import { sizeOf } from '@lmd/core';
import { expect, it } from 'vitest';
import { gpt2, gpt2Preset, gpt2Presets, vit, vitPreset, vitPresets } from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each([
  ...Object.keys(vitPresets).map((name) => [name, vit(vitPreset(name))] as const),
  ...Object.keys(gpt2Presets).map((name) => [name, gpt2(gpt2Preset(name))] as const),
])('the README states the number of parameters of %s', (name, { parameters }) => {
  const count = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const row = readme.split('\n').find((line) => line.startsWith('| `') && line.includes(`\`${name}\``));
  expect(row).toContain(count.toLocaleString('en-US'));
});
