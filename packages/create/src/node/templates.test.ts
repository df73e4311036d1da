import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { projectKinds } from './index.js';

const home = fileURLToPath(new URL('../../', import.meta.url));
// Within the package, so that the projects find what it depends on, as built.
mkdirSync(join(home, '.vitest'), { recursive: true });
const work = mkdtempSync(join(home, '.vitest', 'projects-'));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

const run = (words: readonly string[], cwd: string) =>
  spawnSync(process.execPath, words, { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });

describe.each(projectKinds)('the command with --kind %s', (kind) => {
  const folder = join(work, `my-${kind}`);

  it('creates a project', () => {
    const { status, stdout, stderr } = run([join(home, 'dist', 'node', 'bin.js'), `my-${kind}`, '--kind', kind], work);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`cd my-${kind}`);
    expect(existsSync(join(folder, 'index.js'))).toBe(true);
  });

  it('whose tests pass', () => {
    const { status, stdout } = run(['--test', '--test-reporter=tap'], folder);
    expect(status, stdout).toBe(0);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(0);
    expect(stdout).toMatch(/^# skipped 0$/m);
  });

  it('that declares what it imports', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const importsOf = (file: string) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/from '(@lmd\/[a-z-]+)/g)].map(([, name]) => name!);
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(importsOf('index.js')));
    const declared = Object.keys({ ...dependencies, ...devDependencies });
    expect(declared).toEqual(expect.arrayContaining(importsOf('index.test.js')));
  });
});

it('ends with a message and an exit code', () => {
  const bin = join(home, 'dist', 'node', 'bin.js');
  const [unknown, exists] = [
    ['new', '--kind', 'model'],
    ['my-plugin', '--kind', 'plugin'],
  ].map((words) => run([bin, ...words], work));
  expect([unknown!.status, exists!.status]).toEqual([2, 1]);
  expect(unknown!.stderr).toContain('kind is "model"');
  expect(exists!.stderr).toContain('exists and is not empty');
});
