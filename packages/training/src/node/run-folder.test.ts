import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { processIdentity } from './process-identity.js';
import { claimRunFolder, createRunFolder } from './run-folder.js';
import { isRunLocked, lockRun } from './run-lock.js';

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not throw',
    (error) => error,
  );

describe('createRunFolder', () => {
  it('numbers folders on, also past gaps and other names', async () => {
    const parent = join(await temporaryFolder(), 'runs');
    expect(await createRunFolder(parent, 'vit')).toBe(join(parent, 'vit-001'));
    expect(await createRunFolder(parent, 'vit')).toBe(join(parent, 'vit-002'));
    await mkdir(join(parent, 'vit-041'));
    await mkdir(join(parent, 'vit-tiny-050'));
    expect(await createRunFolder(parent, 'vit')).toBe(join(parent, 'vit-042'));
    expect(await createRunFolder(parent, 'vit-tiny')).toBe(join(parent, 'vit-tiny-051'));
  });

  it('gives ten callers at once ten folders', async () => {
    const parent = await temporaryFolder();
    const folders = await Promise.all(Array.from({ length: 10 }, () => createRunFolder(parent, 'run')));
    expect(new Set(folders).size).toBe(10);
    expect((await readdir(parent)).length).toBe(10);
  });

  it('names the path that cannot be written to', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const error = await rejection(createRunFolder(join(file, 'runs'), 'run'));
    expect(isLmdError(error, 'FILE_SYSTEM')).toBe(true);
    expect(String(error)).toContain(join(file, 'runs'));
  });

  it('reports a read-only folder', async ({ skip }) => {
    skip(process.platform === 'win32' || process.getuid?.() === 0, 'no folder is read-only for root, or on Windows');
    const parent = await temporaryFolder();
    await chmod(parent, 0o555);
    const error = await rejection(createRunFolder(parent, 'run'));
    await chmod(parent, 0o755);
    expect(isLmdError(error, 'FILE_SYSTEM')).toBe(true);
    expect(String(error)).toMatch(/EACCES.*permissions/);
  });
});

describe('claimRunFolder', () => {
  it('makes a folder, takes an empty one, and refuses one with anything in it', async () => {
    const folder = join(await temporaryFolder(), 'a', 'run');
    await claimRunFolder(folder);
    await claimRunFolder(folder);
    await writeFile(join(folder, 'config.json'), '{}');
    const error = await rejection(claimRunFolder(folder));
    expect(isLmdError(error, 'RUN_EXISTS')).toBe(true);
    expect(String(error)).toMatch(/config\.json.*Resume/);
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{}');
  });
});

describe('lockRun', () => {
  it('lets one writer in at a time', async () => {
    const folder = await temporaryFolder();
    const lock = await lockRun(folder);
    expect(await isRunLocked(folder)).toBe(true);
    const error = await rejection(lockRun(folder));
    expect(isLmdError(error, 'RUN_LOCKED')).toBe(true);
    expect(String(error)).toContain(`Process ${process.pid} on ${hostname()}`);
    await lock.release();
    expect(await isRunLocked(folder)).toBe(false);
    await lock.release();
    await (await lockRun(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('lets one of many callers in', async () => {
    const folder = await temporaryFolder();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockRun(folder)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await readdir(folder)).toEqual(['run.lock']);
  });

  it('takes over the lock of a process that is gone, and a file that is no lock', async () => {
    const folder = await temporaryFolder();
    const { pid } = spawnSync(process.execPath, ['--version']);
    for (const stale of [
      JSON.stringify({ pid, host: hostname(), processStart: 0, token: 'x' }),
      // The pid is ours, but an earlier process's.
      JSON.stringify({ pid: process.pid, host: hostname(), processStart: 1, token: 'x' }),
      '',
      'null',
    ]) {
      await writeFile(join(folder, 'run.lock'), stale);
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => lockRun(folder)));
      const held = results.filter((result) => result.status === 'fulfilled');
      expect(held.length).toBe(1);
      await held[0]!.value.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('takes over the lock of a process whose pid another has by now', async ({ skip }) => {
    skip(process.platform === 'win32', 'Windows does not tell when a process started');
    const folder = await temporaryFolder();
    const path = join(folder, 'run.lock');
    const lock = await lockRun(folder);
    const { identity } = JSON.parse(await readFile(path, 'utf8')) as { identity: string };
    await lock.release();
    expect(identity).toBe(await processIdentity(process.pid));
    const owner = { pid: process.ppid, host: hostname(), processStart: 0, token: 'x' };
    await writeFile(path, JSON.stringify({ ...owner, identity: await processIdentity(process.ppid) }));
    expect(isLmdError(await rejection(lockRun(folder)), 'RUN_LOCKED')).toBe(true);
    await writeFile(path, JSON.stringify({ ...owner, identity: `${identity} of another` }));
    await (await lockRun(folder)).release();
    expect(await readdir(folder)).toEqual([]);
    expect(await processIdentity(2 ** 30)).toBeUndefined();
  });

  it('respects another process that is alive, and another machine', async () => {
    const folder = await temporaryFolder();
    for (const owner of [
      { pid: process.ppid, host: hostname(), processStart: 0, token: 'x' },
      { pid: 1, host: 'elsewhere', processStart: 0, token: 'x' },
    ]) {
      await writeFile(join(folder, 'run.lock'), JSON.stringify(owner));
      expect(isLmdError(await rejection(lockRun(folder)), 'RUN_LOCKED')).toBe(true);
      expect(await readdir(folder)).toEqual(['run.lock']);
    }
  });
});
