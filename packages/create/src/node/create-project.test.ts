import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { CreateError, createProject, isCreateError, type ProjectKind, projectKinds } from './index.js';

const work = mkdtempSync(join(tmpdir(), 'lmd-create-'));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

const refusal = (folder: string, kind: string) =>
  createProject({ folder: join(work, folder), kind: kind as ProjectKind }).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('createProject', () => {
  it.each(projectKinds)('writes a project with a %s', async (kind) => {
    const { folder, name, files } = await createProject({ folder: join(work, `my-${kind}`), kind });
    expect({ folder, name }).toEqual({ folder: join(work, `my-${kind}`), name: `my-${kind}` });
    expect(files).toEqual(['.gitignore', 'README.md', 'index.js', 'index.test.js', 'package.json']);
    expect(readdirSync(folder).sort()).toEqual(files);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: `my-${kind}`, type: 'module', scripts: { test: 'node --test' } });
  });

  it('takes the ranges of dependencies from its own manifest', async () => {
    const { folder } = await createProject({ folder: join(work, 'ranges'), kind: 'backend' });
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
    const own = read(fileURLToPath(new URL('../../package.json', import.meta.url))).devDependencies;
    const { dependencies, devDependencies } = read(join(folder, 'package.json'));
    const all = { ...dependencies, ...devDependencies };
    expect(Object.keys(all).sort()).toEqual(['@lmd/backends', '@lmd/conformance', '@lmd/core']);
    for (const [name, range] of Object.entries(all)) expect(range).toBe(own[name]);
  });

  it('takes an empty folder', async () => {
    mkdirSync(join(work, 'empty'));
    await createProject({ folder: join(work, 'empty'), kind: 'plugin' });
    expect(existsSync(join(work, 'empty', 'index.js'))).toBe(true);
  });

  it('leaves a folder with files, and a file, alone', async () => {
    mkdirSync(join(work, 'full'));
    writeFileSync(join(work, 'full', 'mine.txt'), 'mine');
    writeFileSync(join(work, 'file'), 'mine');
    for (const name of ['full', 'file']) {
      const error = await refusal(name, 'backend');
      expect(isCreateError(error, 'FOLDER_EXISTS')).toBe(true);
      expect(error).toMatchObject({ value: join(work, name), remedy: expect.stringContaining('another name') });
    }
    expect(readdirSync(join(work, 'full'))).toEqual(['mine.txt']);
  });

  it('refuses kinds without a template', async () => {
    for (const kind of ['model', '', '../templates']) {
      expect(await refusal('unknown', kind)).toMatchObject({
        code: 'UNKNOWN_KIND',
        value: kind,
        message: expect.stringContaining('backend, optimizer, plugin'),
      });
    }
    expect(existsSync(join(work, 'unknown'))).toBe(false);
  });

  it('refuses names that npm does not take', async () => {
    for (const name of ['My-Backend', '-backend', 'my backend', `a${'b'.repeat(214)}`, 'node_modules']) {
      expect(await refusal(name, 'backend')).toMatchObject({ code: 'NAME_INVALID', value: name });
      expect(existsSync(join(work, name))).toBe(false);
    }
  });

  it('says why a folder cannot be written', async () => {
    writeFileSync(join(work, 'no-folder'), '');
    // The parent is a file: refused by the system on every platform, also to an administrator.
    const error = await refusal(join('no-folder', 'mine'), 'plugin');
    expect(isCreateError(error)).toBe(true);
    // A name that the file system does not take, below a folder that exists.
    const long = await refusal(join('b'.repeat(300), 'mine'), 'plugin');
    expect(long).toMatchObject({ code: 'FILE_SYSTEM', message: expect.stringMatching(/cannot be written: .*Choose/) });
  });

  it('has errors that are recognized by their mark', () => {
    expect(isCreateError(new CreateError('UNKNOWN_KIND', 'a', { remedy: 'b' }), 'FOLDER_EXISTS')).toBe(false);
    expect(isCreateError(new Error('a'))).toBe(false);
  });
});
