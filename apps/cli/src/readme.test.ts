import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { lmd, temporaryFolder } from '../test/lmd.js';
import { presets } from './presets/index.js';

const folder = temporaryFolder();
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

it('has commands that work, one after the other', async () => {
  const commands = firstBlock('sh').trim().split('\n');
  expect(commands).toHaveLength(6);
  for (const command of commands) {
    const [name, ...words] = command.split(' ');
    expect(name).toBe('lmd');
    const { code, stderr } = await lmd(words, folder);
    // Native engines that lmd doctor tries say by themselves, on standard error, what they lack.
    expect({ code, stderr: words[0] === 'doctor' ? '' : stderr }, command).toEqual({ code: 0, stderr: '' });
  }
});

it('names every preset', () => {
  for (const name of Object.keys(presets)) expect(readme).toContain(`\`${name}\` (`);
});
