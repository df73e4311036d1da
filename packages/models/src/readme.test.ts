import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sizeOf } from '@lmd/core';
import { parseSafetensors } from '@lmd/safetensors';
import { afterAll, expect, it } from 'vitest';
import { gpt2, gpt2Preset, gpt2Presets, vit, vitPreset, vitPresets } from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
const scratch = mkdtempSync(join(tmpdir(), 'lmd-models-'));
const golden = fileURLToPath(new URL('../test/golden/', import.meta.url));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What an example exports. Its relative folders are those of the golden files, and one of the test's own. */
async function run(index: number): Promise<{ readonly [name: string]: unknown }> {
  const code = examples[index]!.replaceAll("'gpt2/", `'${golden}gpt2/`).replaceAll("'exported", `'${scratch}`);
  const folder = new URL('../.vitest/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`readme-example-${index}.ts`, folder);
  writeFileSync(file, code);
  return { ...(await import(/* @vite-ignore */ file.href)) };
}

it('runs every example in the README', async () => {
  expect(examples).toHaveLength(4);
  expect(await run(0)).toEqual({ shape: [2, 10], parameters: 19 });
  const { text } = await run(1);
  expect(text).toHaveLength(8);
  expect(await run(2)).toEqual({ written: 28 });
  expect(JSON.parse(readFileSync(join(scratch, 'config.json'), 'utf8'))).toMatchObject({
    model_type: 'gpt2',
    n_embd: 16,
  });
  const { tensors } = parseSafetensors(new Uint8Array(readFileSync(join(scratch, 'model.safetensors'))));
  expect(tensors.get('transformer.h.1.mlp.c_fc.weight')!.shape).toEqual([16, 64]);
  const { merged } = await run(3);
  expect(Object.keys(merged as object)).toEqual(Object.keys(gpt2(gpt2Preset('char')).parameters));
});

it.each([
  ...Object.keys(vitPresets).map((name) => [name, vit(vitPreset(name))] as const),
  ...Object.keys(gpt2Presets).map((name) => [name, gpt2(gpt2Preset(name))] as const),
])('states the number of parameters of %s in the README', (name, { parameters }) => {
  const count = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const row = readme.split('\n').find((line) => line.startsWith('| `') && line.includes(`\`${name}\``));
  expect(row).toContain(count.toLocaleString('en-US'));
});
