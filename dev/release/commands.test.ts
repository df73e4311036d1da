// What a user runs without installing anything first: npx @lmd/cli, and npm create @lmd with each template.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectKinds } from '@lmd/create';
import { beforeAll, describe, expect, it } from 'vitest';
import { published } from '../../scripts/packed.mjs';
import { environmentOf, setting, succeed } from './setting.js';

const env = environmentOf('commands');
const folder = join(setting.work, 'commands');
beforeAll(() => {
  mkdirSync(folder, { recursive: true });
});

const npm = (cwd: string, ...words: string[]) => succeed([...setting.npm, ...words, '--loglevel=error'], { cwd, env });
const lmd = (cwd: string, ...words: string[]) =>
  succeed([...setting.npm, 'exec', '--yes', '--loglevel=error', '--', '@lmd/cli', ...words], { cwd, env });

const versionOf = (name: string) => published.find(({ manifest }) => manifest.name === name)!.manifest.version;

describe('npx @lmd/cli', () => {
  it('is the published version', async () => {
    expect((await lmd(folder, '--version')).trim()).toBe(versionOf('@lmd/cli'));
  });

  it('trains and evaluates', async () => {
    await lmd(folder, 'train', 'smoke', '--set', 'steps=8', '--out', 'run');
    const summary = JSON.parse(readFileSync(join(folder, 'run', 'summary.json'), 'utf8'));
    expect(JSON.stringify(summary)).toContain('adamw');
    expect(await lmd(folder, 'evaluate', 'run')).toMatch(/loss/i);
  });
});

/** How a configuration names a module of each kind. */
const used: Readonly<Record<string, string>> = {
  backend: 'backend=./index.js',
  optimizer: 'optimizers=[{"name":"mine","rule":"./index.js"}]',
  plugin: 'plugins=["./index.js"]',
};

describe.each([...projectKinds])('npm create @lmd -- --kind %s', (kind) => {
  const project = join(folder, `my-${kind}`);

  it('creates a project', async () => {
    // As typed, except for --yes, which answers npm's question whether to install the command.
    const words = ['create', '--yes', '--loglevel=error', '@lmd', `my-${kind}`, '--', '--kind', kind];
    expect(await succeed([...setting.npm, ...words], { cwd: folder, env })).toContain(`cd my-${kind}`);
    const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    expect(dependencies['@lmd/core']).toBe(`^${versionOf('@lmd/core')}`);
  });

  it('whose tests pass', async () => {
    await npm(project, 'install');
    expect(await npm(project, 'test')).toMatch(/^# pass [1-9]|^ℹ pass [1-9]/m);
  });

  it('and which lmd train uses', async () => {
    await lmd(project, 'train', 'smoke', '--set', 'steps=8', '--set', used[kind]!, '--out', 'run');
    expect(readFileSync(join(project, 'run', 'config.json'), 'utf8')).toContain('index.js');
  });
});
