import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { presets } from './presets/index.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(at('../README.md'), 'utf8');

function firstBlock(language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!;
}

it('has an example that runs', async () => {
  mkdirSync(at('../.vitest'), { recursive: true });
  const path = at('../.vitest/readme-example.ts');
  writeFileSync(path, firstBlock('ts').replaceAll("'@lmd/cli'", "'../src/index.js'"));
  const { configuration, backends } = await import(path);
  expect(configuration).toMatchObject({ steps: 50, optimizers: [{ noise: 0.1 }, { name: 'adamw' }] });
  expect(backends.map(({ works }: { works: boolean }) => works)).toContain(true);
});

it('names every preset', () => {
  for (const name of Object.keys(presets)) expect(readme).toContain(`\`${name}\` (`);
});
